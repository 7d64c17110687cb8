//! Data types of points, and the words for them in profiles and in other programs.

/// The data type of the registers, bytes or text of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DataType {
    /// A coil, a discrete input, one bit of a register, or a whole register (true if it is not zero).
    Bool,
    /// Unsigned, in the low byte of a register.
    U8,
    /// Two's complement, in the low byte of a register.
    I8,
    /// Unsigned, 16 bits.
    U16,
    /// Two's complement, 16 bits.
    I16,
    /// Unsigned, in the low 24 bits of two registers.
    U24,
    /// Two's complement, in the low 24 bits of two registers.
    I24,
    /// Unsigned, 32 bits.
    U32,
    /// Two's complement, 32 bits.
    I32,
    /// Unsigned, 64 bits.
    U64,
    /// Two's complement, 64 bits.
    I64,
    /// IEEE 754 single precision.
    F32,
    /// IEEE 754 double precision.
    F64,
    /// Four decimal digits, one in each nibble.
    Bcd16,
    /// Eight decimal digits, one in each nibble.
    Bcd32,
    /// 16 bits with names.
    Bits16,
    /// 32 bits with names.
    Bits32,
    /// A code of 16 bits, with names for its values.
    Enum16,
    /// A code of 32 bits, with names for its values.
    Enum32,
    /// A text with two characters in each register, padded with zeros or spaces.
    Text {
        /// The number of registers of the text; 0 for a text that does not come from registers.
        registers: u16,
    },
}

impl DataType {
    /// The words of the types in profiles, except for `string`.
    pub const WORDS: [(&'static str, DataType); 19] = [
        ("bool", DataType::Bool),
        ("u8", DataType::U8),
        ("i8", DataType::I8),
        ("u16", DataType::U16),
        ("i16", DataType::I16),
        ("u24", DataType::U24),
        ("i24", DataType::I24),
        ("u32", DataType::U32),
        ("i32", DataType::I32),
        ("u64", DataType::U64),
        ("i64", DataType::I64),
        ("f32", DataType::F32),
        ("f64", DataType::F64),
        ("bcd16", DataType::Bcd16),
        ("bcd32", DataType::Bcd32),
        ("bits16", DataType::Bits16),
        ("bits32", DataType::Bits32),
        ("enum16", DataType::Enum16),
        ("enum32", DataType::Enum32),
    ];

    /// The word of the type in profiles.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, t)| *t == self).map_or("string", |(w, _)| w)
    }

    /// The number of registers of a value.
    #[must_use]
    pub fn registers(self) -> u16 {
        match self {
            DataType::Bool
            | DataType::U8
            | DataType::I8
            | DataType::U16
            | DataType::I16
            | DataType::Bcd16
            | DataType::Bits16
            | DataType::Enum16 => 1,
            DataType::U24
            | DataType::I24
            | DataType::U32
            | DataType::I32
            | DataType::F32
            | DataType::Bcd32
            | DataType::Bits32
            | DataType::Enum32 => 2,
            DataType::U64 | DataType::I64 | DataType::F64 => 4,
            DataType::Text { registers } => registers,
        }
    }

    /// The number of bytes of a value in a binary frame.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            DataType::U8 | DataType::I8 => 1,
            DataType::U24 | DataType::I24 => 3,
            other => usize::from(other.registers()) * 2,
        }
    }

    /// The number of bits of a whole number.
    #[must_use]
    pub fn bits(self) -> u32 {
        match self {
            DataType::U8 | DataType::I8 => 8,
            DataType::U24 | DataType::I24 => 24,
            other => u32::from(other.registers()) * 16,
        }
    }

    /// True for whole numbers in two's complement.
    #[must_use]
    pub fn is_signed(self) -> bool {
        matches!(self, DataType::I8 | DataType::I16 | DataType::I24 | DataType::I32 | DataType::I64)
    }

    /// True for numbers with a fraction.
    #[must_use]
    pub fn is_float(self) -> bool {
        matches!(self, DataType::F32 | DataType::F64)
    }

    /// True for numbers: `scale` and `offset` can be used with them.
    #[must_use]
    pub fn is_number(self) -> bool {
        match self {
            DataType::Bool
            | DataType::Bits16
            | DataType::Bits32
            | DataType::Enum16
            | DataType::Enum32
            | DataType::Text { .. } => false,
            DataType::U8
            | DataType::I8
            | DataType::U16
            | DataType::I16
            | DataType::U24
            | DataType::I24
            | DataType::U32
            | DataType::I32
            | DataType::U64
            | DataType::I64
            | DataType::F32
            | DataType::F64
            | DataType::Bcd16
            | DataType::Bcd32 => true,
        }
    }
}

/// The meaning of a type word of another program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeWord {
    /// The word means this type in every program.
    Means(&'static str),
    /// The word means different types in different programs. This one is the most probable.
    Perhaps(&'static str),
}

/// Words that mean the same type in every program.
const CERTAIN: [(&str, &str); 40] = [
    ("boolean", "bool"),
    ("bit", "bool"),
    ("uint8", "u8"),
    ("byte", "u8"),
    ("int8", "i8"),
    ("sint8", "i8"),
    ("s8", "i8"),
    ("uint16", "u16"),
    ("ui16", "u16"),
    ("word", "u16"),
    ("int16", "i16"),
    ("sint16", "i16"),
    ("s16", "i16"),
    ("uint24", "u24"),
    ("int24", "i24"),
    ("s24", "i24"),
    ("uint32", "u32"),
    ("ui32", "u32"),
    ("dword", "u32"),
    ("int32", "i32"),
    ("sint32", "i32"),
    ("s32", "i32"),
    ("uint64", "u64"),
    ("ui64", "u64"),
    ("qword", "u64"),
    ("lword", "u64"),
    ("int64", "i64"),
    ("sint64", "i64"),
    ("s64", "i64"),
    ("float32", "f32"),
    ("float", "f32"),
    ("real", "f32"),
    ("real32", "f32"),
    ("single", "f32"),
    ("float64", "f64"),
    ("double", "f64"),
    ("lreal", "f64"),
    ("real64", "f64"),
    ("ascii", "string"),
    ("str", "string"),
];

/// Words that mean different types in different programs, with the most probable type.
const LIKELY: [(&str, &str); 22] = [
    ("int", "i16"),
    ("sint", "i8"),
    ("usint", "u8"),
    ("dint", "i32"),
    ("udint", "u32"),
    ("lint", "i64"),
    ("ulint", "u64"),
    ("integer", "i16"),
    ("signed", "i16"),
    ("short", "i16"),
    ("uint", "u16"),
    ("unsigned", "u16"),
    ("ushort", "u16"),
    ("long", "i32"),
    ("ulong", "u32"),
    ("bcd", "bcd16"),
    ("enum", "enum16"),
    ("bitfield", "bits16"),
    ("bits", "bits16"),
    ("flags", "bits16"),
    ("char", "string"),
    ("text", "string"),
];

/// Returns the meaning of a type word that is not a word of profiles; `None` if the word is unknown.
#[must_use]
pub fn type_word(word: &str) -> Option<TypeWord> {
    let plain: String =
        word.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let of = |table: &[(&str, &'static str)]| table.iter().find(|(w, _)| *w == plain).map(|(_, t)| *t);
    of(&CERTAIN).map(TypeWord::Means).or_else(|| of(&LIKELY).map(TypeWord::Perhaps))
}
