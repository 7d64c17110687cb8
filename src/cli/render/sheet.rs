//! [`Sheet`]: a list with columns and rows, printed as a table or as CSV.

use comfy_table::{ContentArrangement, Table, presets};

use super::screen::in_line;

/// A list: columns and rows of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    columns: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

/// Returns the width of the terminal in characters, at least 80; 120 if there is no terminal.
pub fn width() -> u16 {
    terminal_size::terminal_size().map_or(120, |(w, _)| w.0.max(80))
}

impl Sheet {
    /// Returns a list with these columns and no rows.
    pub fn new(columns: &[&'static str]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row with one text for each column.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| in_line(&cell)).collect());
    }

    /// Returns true if the list has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Formats the list as a table that fits the terminal.
    pub fn table(&self) -> String {
        self.table_within(width())
    }

    /// Formats the list as a table of this width, without the columns that are empty in all rows.
    pub fn table_within(&self, width: u16) -> String {
        let used: Vec<usize> = (0..self.columns.len())
            .filter(|c| self.rows.iter().any(|r| r.get(*c).is_some_and(|t| !t.is_empty())))
            .collect();
        let pick = |row: &[String]| used.iter().filter_map(|c| row.get(*c).cloned()).collect::<Vec<_>>();
        let head: Vec<String> = self.columns.iter().map(|c| c.to_uppercase().replace('_', " ")).collect();
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(width);
        table.set_header(pick(&head));
        for row in &self.rows {
            table.add_row(pick(row));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let mut text = String::new();
        for line in table.lines() {
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// Formats the list as CSV (RFC 4180), with the names of the columns in the first line.
    pub fn csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut fine = writer.write_record(&self.columns).is_ok();
        for row in &self.rows {
            fine &= writer.write_record(row).is_ok();
        }
        match writer.into_inner() {
            Ok(bytes) if fine => String::from_utf8(bytes).unwrap_or_default(),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_fits_and_leaves_out_what_is_empty() {
        let mut sheet = Sheet::new(&["id", "assignee", "summary"]);
        sheet.row(["1".into(), String::new(), "a summary of many words that wraps".into()]);
        insta::assert_snapshot!(sheet.table_within(24), @r"
        ID  SUMMARY
        1   a summary of many
            words that wraps
        ");
        assert_eq!(sheet.csv(), "id,assignee,summary\n1,,a summary of many words that wraps\n");
    }
}
