//! Enums whose variants have one word each, the same in files, JSON and on screens.

/// Writes such an enum once: `Variant = "word"` becomes the variant, its name for serde, a place in `ALL` and its
/// `word()`.
macro_rules! worded {
    (
        $(#[$meta:meta])*
        pub enum $name:ident { $($(#[$doc:meta])* $variant:ident = $word:tt,)+ }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// All of them, in the order in which they are declared.
            pub const ALL: [$name; [$($word),+].len()] = [$($name::$variant),+];

            /// The word in files, in JSON and on screens.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }
        }
    };
}

pub(crate) use worded;
