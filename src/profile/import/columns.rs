//! Columns of a register list: the field of each column by its name or by `--map`, and proposals for similar names.

use std::collections::BTreeMap;

/// The fields of a column, with the names that other programs use, the most probable name first. andon proposes a
/// field for such a name, but does not use it without `--map`.
const FIELDS: [(&str, &[&str]); 25] = [
    (
        "name",
        &[
            "register_name",
            "point_name",
            "tagname",
            "tag",
            "point",
            "parameter",
            "parameter_name",
            "variable",
            "variable_name",
            "signal",
            "signal_name",
            "label",
            "item",
            "datapoint",
            "data_point",
            "object_name",
            "object",
            "entity",
            "sensor",
            "measurement",
            "field",
            "field_name",
            "title",
            "symbol",
            "mnemonic",
            "designation",
            "key",
            "id",
            "description",
            "desc",
            "quantity",
            "bezeichnung",
            "nom",
        ],
    ),
    (
        "register",
        &[
            "address",
            "addr",
            "register_address",
            "modbus_address",
            "start_address",
            "starting_address",
            "register_number",
            "register_no",
            "reg",
            "reg_address",
            "reg_addr",
            "register_addr",
            "modbus_register",
            "address_dec",
            "register_dec",
            "dec",
            "decimal",
            "address_hex",
            "register_hex",
            "hex",
            "location",
            "number",
            "start",
            "first_register",
            "start_register",
            "index",
            "registers",
            "adresse",
            "adr",
        ],
    ),
    ("ref", &["reference", "modicon", "modicon_address", "plc_address", "modbus_reference", "plc"]),
    (
        "type",
        &[
            "data_type",
            "datatype",
            "data_format",
            "format",
            "value_type",
            "variable_type",
            "var_type",
            "dtype",
            "register_format",
            "point_type",
            "encoding",
            "typ",
        ],
    ),
    (
        "area",
        &[
            "table",
            "register_type",
            "reg_type",
            "modbus_type",
            "function",
            "function_code",
            "func",
            "fc",
            "modbus_function",
            "read_function",
            "object_type",
            "input_type",
            "memory_area",
            "space",
            "register_table",
            "io_type",
            "primary_table",
            "register_class",
            "block",
            "bank",
        ],
    ),
    (
        "unit",
        &[
            "units",
            "uom",
            "engineering_unit",
            "engineering_units",
            "eng_units",
            "eu",
            "unit_of_measurement",
            "unit_of_measure",
            "measurement_unit",
            "einheit",
            "unite",
        ],
    ),
    (
        "scale",
        &[
            "factor",
            "multiplier",
            "scale_factor",
            "scaling",
            "scaling_factor",
            "coefficient",
            "resolution",
            "mult",
            "multiply",
            "faktor",
        ],
    ),
    ("divisor", &["divide", "divider", "div", "denominator", "gain"]),
    ("offset", &["bias", "value_offset", "add"]),
    (
        "description",
        &[
            "desc",
            "comment",
            "comments",
            "remark",
            "remarks",
            "note",
            "notes",
            "meaning",
            "definition",
            "details",
            "long_name",
        ],
    ),
    (
        "registers",
        &[
            "register_count",
            "number_of_registers",
            "num_registers",
            "no_of_registers",
            "reg_count",
            "words",
            "count",
            "quantity",
            "size",
            "width",
            "nb_registers",
            "len",
        ],
    ),
    ("length", &["characters", "chars", "string_length"]),
    (
        "access",
        &[
            "rw",
            "r_w",
            "read_write",
            "readwrite",
            "client_access",
            "permission",
            "permissions",
            "mode",
            "access_type",
            "attribute",
        ],
    ),
    ("word_order", &["swap", "word_swap", "endianness", "endian", "order", "byte_word_order", "wordorder"]),
    ("byte_order", &["byte_swap", "byteorder"]),
    (
        "values",
        &[
            "enum",
            "enumeration",
            "options",
            "mapping",
            "states",
            "value_map",
            "value_mapping",
            "codes",
            "lookup",
        ],
    ),
    ("bits", &["bitfield", "flags", "bit_names"]),
    ("bit", &["bit_position", "bit_number", "bit_no", "bit_offset", "bit_index"]),
    ("mask", &["bitmask", "bit_mask"]),
    ("shift", &["bit_shift"]),
    ("every", &["scan_rate", "poll_interval", "interval", "period", "scan_interval"]),
    ("absent", &["not_available", "invalid", "nan", "na_value"]),
    ("min", &["minimum", "min_value", "low"]),
    ("max", &["maximum", "max_value", "high"]),
    ("deadband", &["dead_band"]),
];

/// The positions of the fields in a row.
#[derive(Debug, Default)]
pub(super) struct Columns {
    at: BTreeMap<&'static str, usize>,
    /// The names in the header, as they are written.
    pub head: Vec<String>,
}

/// Converts the name of a column into a standard form: `Register Name (dec)` becomes `register_name_dec`.
fn plain(name: &str) -> String {
    let folded: String = name
        .trim_start_matches('\u{feff}')
        .chars()
        .map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .collect();
    folded.split('_').filter(|w| !w.is_empty()).collect::<Vec<_>>().join("_")
}

fn own_name(field: &str) -> Option<&'static str> {
    FIELDS.iter().map(|(own, _)| *own).find(|own| *own == field)
}

impl Columns {
    /// Reads a header. `--map FIELD=COLUMN` defines a column, `#2` being the second; other columns are found by their
    /// own names.
    ///
    /// # Errors
    /// A mapping whose field or column does not exist.
    pub fn of(head: &[&str], map: &[(String, String)]) -> Result<Self, String> {
        let mut out = Self { at: BTreeMap::new(), head: head.iter().map(|h| (*h).to_owned()).collect() };
        for (field, column) in map {
            let own = own_name(field).ok_or_else(|| {
                let known: Vec<&str> = FIELDS.iter().map(|(own, _)| *own).collect();
                format!("--map {field}: a column can be {}", known.join(", "))
            })?;
            let wanted = plain(column);
            let numbered = column.strip_prefix('#').and_then(|n| n.parse::<usize>().ok()?.checked_sub(1));
            let at = match numbered {
                Some(at) => Some(at),
                None => head
                    .iter()
                    .position(|h| h.trim() == column.trim())
                    .or_else(|| head.iter().position(|h| plain(h) == wanted)),
            };
            out.at.insert(own, at.ok_or_else(|| format!("there is no column {column}"))?);
        }
        for (index, name) in head.iter().enumerate() {
            let taken = out.at.values().any(|at| *at == index);
            if let Some(own) = own_name(&plain(name)).filter(|own| !taken && !out.at.contains_key(own)) {
                out.at.insert(own, index);
            }
        }
        // If no column is the register, a column named `registers` is probably the register, not the number of
        // registers.
        let is_mapped = map.iter().any(|(field, _)| field == "registers");
        if !is_mapped && !["register", "ref"].iter().any(|key| out.at.contains_key(key)) {
            out.at.remove("registers");
        }
        Ok(out)
    }

    /// True if the columns are enough for a point: a name and a register.
    pub fn is_enough(&self) -> bool {
        self.at.contains_key("name") && ["register", "ref"].iter().any(|key| self.at.contains_key(key))
    }

    /// The position of a field in a row; `None` if no column has the field.
    pub fn at(&self, field: &str) -> Option<usize> {
        self.at.get(field).copied()
    }

    /// The name of the column of a field, in the header.
    pub fn title(&self, field: &str) -> &str {
        self.at(field).and_then(|at| self.head.get(at)).map_or("", String::as_str)
    }

    /// The columns without a field, each with the field that is proposed.
    pub fn unused(&self) -> Vec<(&str, Option<&'static str>)> {
        let free = self
            .head
            .iter()
            .enumerate()
            .filter(|(i, name)| !name.trim().is_empty() && !self.at.values().any(|at| at == i));
        let near = self.near();
        free.map(|(i, name)| (name.as_str(), near.iter().find(|(_, at)| *at == i).map(|(field, _)| *field)))
            .collect()
    }

    /// Proposes fields for the columns without a field: the most probable column for each field, each column once.
    fn near(&self) -> Vec<(&'static str, usize)> {
        let mut found: Vec<(&'static str, usize)> = Vec::new();
        for (field, names) in FIELDS.iter().filter(|(field, _)| !self.at.contains_key(field)) {
            let is_free = |i: &usize, found: &[(&str, usize)]| {
                !self.at.values().any(|at| at == i) && !found.iter().any(|(_, at)| at == i)
            };
            let place = |wanted: &dyn Fn(&str) -> bool| {
                let mut all = self.head.iter().enumerate();
                all.find(|(i, name)| wanted(&plain(name)) && is_free(i, &found)).map(|(i, _)| i)
            };
            // `TagName` and `Tag Name` count as equal.
            let joined = |text: &str| text.replace('_', "");
            let exact = names.iter().find_map(|near| place(&|name| joined(name) == joined(near)));
            // `Modbus Address (hex)` begins or ends with a known name.
            let part = || {
                names.iter().filter(|near| near.len() > 3).find_map(|near| {
                    place(&|name| {
                        name.starts_with(&format!("{near}_")) || name.ends_with(&format!("_{near}"))
                    })
                })
            };
            if let Some(at) = exact.or_else(part) {
                found.push((field, at));
            }
        }
        found
    }

    /// Returns the options that would define the columns, as on the command line; empty if no name is similar.
    pub fn proposal(&self) -> String {
        let near = self.near();
        let has = |fields: &[&str]| {
            near.iter().any(|(f, _)| fields.contains(f)) || fields.iter().any(|f| self.at.contains_key(f))
        };
        if !has(&["name"]) || !has(&["register", "ref"]) {
            return String::new();
        }
        let option = |(field, at): &(&str, usize)| {
            let column = self.head.get(*at).map_or("", |c| c.trim());
            let plain = column.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
            if plain { format!("--map {field}={column}") } else { format!("--map {field}=\"{column}\"") }
        };
        near.iter().map(option).collect::<Vec<_>>().join(" ")
    }
}
