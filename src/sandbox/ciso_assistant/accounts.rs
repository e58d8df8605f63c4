//! Who may call and what they may see: accounts, their rights per folder, and the masking that follows from them.
//!
//! Rights are granted per folder. What lies in the root folder is visible to everyone who has any right at all, as
//! published objects of an ancestor are on the real server.

use crate::sandbox::ciso_assistant::state::{Index, Kind, ROOT, State};

/// May see incidents and timeline entries.
pub(super) const INCIDENTS: u8 = 1;
/// May create, change and delete them.
pub(super) const WRITE: u8 = 2;
/// May see assets, threats, entities, teams, labels, evidence.
pub(super) const RELATED: u8 = 4;
/// May see the folder itself.
pub(super) const FOLDER: u8 = 8;

pub(super) const READER: u8 = INCIDENTS | RELATED | FOLDER;
pub(super) const ANALYST: u8 = READER | WRITE;

/// One caller. Credentials are plain text: nothing here protects anything.
pub(super) struct Account {
    pub(super) email: String,
    pub(super) password: String,
    pub(super) user: Index,
    pub(super) actor: Index,
    /// Sees and may do everything, whatever the rights say.
    pub(super) admin: bool,
    /// Waits for a second factor that nobody can give.
    pub(super) second_factor: bool,
    /// Rights by folder.
    rights: Vec<u8>,
}

/// Rights in a folder and in all folders below it. A later grant replaces an earlier one where both apply.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grant {
    pub(super) folder: Index,
    pub(super) rights: u8,
}

impl Account {
    pub(super) fn new(state: &State, email: &str, password: &str, (user, actor): (Index, Index)) -> Account {
        let (email, password) = (email.to_owned(), password.to_owned());
        let rights = vec![0; state.folders.len()];
        Account { email, password, user, actor, admin: false, second_factor: false, rights }
    }

    pub(super) fn admin(mut self) -> Account {
        self.admin = true;
        self
    }

    pub(super) fn second_factor(mut self) -> Account {
        self.second_factor = true;
        self
    }

    pub(super) fn granted(mut self, state: &State, grants: &[Grant]) -> Account {
        for grant in grants {
            for (folder, _) in state.folders.iter() {
                if folder == grant.folder || grant.folder == ROOT || state.path(folder).contains(&grant.folder) {
                    self.rights[folder as usize] = grant.rights;
                }
            }
        }
        if self.rights.iter().any(|&rights| rights != 0) {
            self.rights[ROOT as usize] |= RELATED | FOLDER;
        }
        self
    }

    /// Whether any of `right`'s bits is granted in the folder.
    pub(super) fn may(&self, right: u8, folder: Index) -> bool {
        self.admin || self.rights[folder as usize] & right != 0
    }

    fn has_any_right(&self) -> bool {
        self.admin || self.rights.iter().any(|&rights| rights != 0)
    }

    /// Whether the caller may see an object. Invisible ones are missing from lists, `{}` where another refers to them.
    pub(super) fn sees(&self, state: &State, kind: Kind, index: Index) -> bool {
        if self.admin {
            return true;
        }
        match kind {
            Kind::User | Kind::Term => self.has_any_right(),
            Kind::Actor => {
                let (kind, subject) = state.subject(index);
                self.sees(state, kind, subject)
            }
            Kind::Incident | Kind::Entry => self.may(INCIDENTS, state.folder_of(kind, index)),
            Kind::Folder => self.may(FOLDER, index),
            Kind::Asset | Kind::Threat | Kind::Evidence | Kind::Team | Kind::Entity | Kind::Label => {
                self.may(RELATED, state.folder_of(kind, index))
            }
        }
    }
}
