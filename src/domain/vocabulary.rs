//! Closed vocabularies: an enum whose words and meanings are said once.
//!
//! The GraphQL name of each word and its description come from the declaration; whoever shows a vocabulary
//! (schema, documentation) walks [`Vocabulary::WORDS`] and repeats nothing.

/// One word of a vocabulary: the value, its name as shown outside (`IN_PROGRESS`), and what it means.
#[derive(Clone, Copy, Debug)]
pub struct Word<T: 'static> {
    pub value: T,
    pub name: &'static str,
    /// The doc comment of the word, untrimmed.
    pub description: &'static str,
}

/// An enum declared by the macro `vocabulary!`.
pub trait Vocabulary: Copy + Eq + Send + Sync + 'static {
    /// Name of the vocabulary, as shown outside: `IncidentStatus`.
    const NAME: &'static str;
    /// What it is about; untrimmed.
    const DESCRIPTION: &'static str;
    /// Every word, in the order of the declaration.
    const WORDS: &'static [Word<Self>];

    /// The word's name outside: `IN_PROGRESS`.
    fn name(self) -> &'static str;

    /// The value of a name; none if no word is called so. Letter case counts.
    fn named(name: &str) -> Option<Self> {
        Self::WORDS.iter().find(|word| word.name == name).map(|word| word.value)
    }
}

/// Declares a closed vocabulary: an enum with a name and a meaning for every word.
macro_rules! vocabulary {
    ($(
        $(#[doc = $about:literal])+
        pub enum $ty:ident { $( $(#[doc = $doc:literal])+ $value:ident = $name:literal, )+ }
    )+) => { $(
        $(#[doc = $about])+
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $ty { $( $(#[doc = $doc])+ $value, )+ }

        impl crate::domain::Vocabulary for $ty {
            const NAME: &'static str = stringify!($ty);
            const DESCRIPTION: &'static str = concat!($($about, "\n"),+);
            const WORDS: &'static [crate::domain::Word<Self>] = &[
                $( crate::domain::Word { value: $ty::$value, name: $name, description: concat!($($doc, "\n"),+) }, )+
            ];

            fn name(self) -> &'static str {
                match self { $( $ty::$value => $name, )+ }
            }
        }
    )+ };
}
pub(crate) use vocabulary;
