//! The products whose REST API the gateway speaks, one folder each. This is the only list of them.

pub mod adversarial;
pub mod ciso_assistant;
mod common;
pub mod cortex_xpanse;
pub mod eventlog_analyzer;
pub mod kaspersky_xdr;

use crate::{
    domain::SourceName,
    settings::{Table, Variant},
    source::Source,
    upstream::{Policy, Transport},
};
use std::sync::Arc;

/// What is configured of a source, by its vendor.
#[derive(Clone, Debug)]
pub enum VendorConfig {
    CisoAssistant(ciso_assistant::Config),
    EventlogAnalyzer(eventlog_analyzer::Config),
    Adversarial(adversarial::Config),
    KasperskyXdr(kaspersky_xdr::Config),
    CortexXpanse(cortex_xpanse::Config),
}

/// A source as its vendor makes it: not yet [`crate::source::Checked`]. Nothing is sent.
pub fn build(name: &SourceName, config: &VendorConfig, transport: Arc<dyn Transport>) -> Arc<dyn Source> {
    match config {
        VendorConfig::CisoAssistant(config) => Arc::new(ciso_assistant::CisoAssistant::new(name, config, transport)),
        VendorConfig::EventlogAnalyzer(config) => {
            Arc::new(eventlog_analyzer::EventlogAnalyzer::new(name, config, transport))
        }
        VendorConfig::Adversarial(config) => Arc::new(adversarial::Adversarial::new(name, config, transport)),
        VendorConfig::KasperskyXdr(config) => Arc::new(kaspersky_xdr::KasperskyXdr::new(name, config, transport)),
        VendorConfig::CortexXpanse(config) => {
            let surroundings = cortex_xpanse::Surroundings::default();
            Arc::new(cortex_xpanse::CortexXpanse::new(name, config, transport, surroundings))
        }
    }
}

impl VendorConfig {
    /// Reads, and thereby declares, the settings of one source; the word in `vendor` decides which. None after a
    /// mistake, which has then been noted.
    pub fn declare(table: &mut Table<'_, '_>) -> Option<Self> {
        let ciso_assistant = Variant {
            word: "ciso-assistant",
            doc: "CISO Assistant, releases 3.15.1 and later. `token`, or `email` and `password`, must be given.",
            read: |table| ciso_assistant::Config::declare(table).map(VendorConfig::CisoAssistant),
        };
        let eventlog_analyzer = Variant {
            word: "eventlog-analyzer",
            doc: "ManageEngine EventLog Analyzer, version 2 of its API. `token` and `time_zone` must be given.",
            read: |table| eventlog_analyzer::Config::declare(table).map(VendorConfig::EventlogAnalyzer),
        };
        let adversarial = Variant {
            word: "adversarial",
            doc: "Adversarial, API version 1 of 2026. `client_id` and `client_secret` of a service account must be given.",
            read: |table| adversarial::Config::declare(table).map(VendorConfig::Adversarial),
        };
        let kaspersky_xdr = Variant {
            word: "kaspersky-xdr",
            doc: "Kaspersky Next XDR Expert, releases 1.1 and later.",
            read: |table| kaspersky_xdr::Config::declare(table).map(VendorConfig::KasperskyXdr),
        };
        let cortex_xpanse = Variant {
            word: "cortex-xpanse",
            doc: "Cortex Xpanse (Expander). `api_key` and `api_key_id` must be given.",
            read: |table| cortex_xpanse::Config::declare(table).map(VendorConfig::CortexXpanse),
        };
        let vendors = [ciso_assistant, eventlog_analyzer, adversarial, kaspersky_xdr, cortex_xpanse];
        table.variant("vendor", "The product whose API the source speaks.", &vendors)
    }

    /// Limits of the conversation with the source.
    pub fn policy(&self) -> &Policy {
        match self {
            VendorConfig::CisoAssistant(config) => &config.policy,
            VendorConfig::EventlogAnalyzer(config) => &config.policy,
            VendorConfig::Adversarial(config) => &config.policy,
            VendorConfig::KasperskyXdr(config) => &config.policy,
            VendorConfig::CortexXpanse(config) => &config.policy,
        }
    }

    /// The same, to be changed.
    pub fn policy_mut(&mut self) -> &mut Policy {
        match self {
            VendorConfig::CisoAssistant(config) => &mut config.policy,
            VendorConfig::EventlogAnalyzer(config) => &mut config.policy,
            VendorConfig::Adversarial(config) => &mut config.policy,
            VendorConfig::KasperskyXdr(config) => &mut config.policy,
            VendorConfig::CortexXpanse(config) => &mut config.policy,
        }
    }
}
