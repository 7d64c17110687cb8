//! The numbers with which a condition compares a point. A chart shows them as limits.

use super::compile::Program;
use super::evaluate::{Node, NumberNode};
use super::parser::Compare;

/// A number with which a condition compares a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// The number, in the unit of the point.
    pub limit: f64,
    /// True if the comparison is true above the number; false if it is true below.
    pub is_above: bool,
}

impl Program {
    /// Returns the numbers with which the point itself is compared by `<`, `<=`, `>` or `>=`.
    #[must_use]
    pub fn thresholds_of(&self, equipment: Option<&str>, point: &str) -> Vec<Threshold> {
        let named =
            self.operands.iter().position(|o| o.equipment.as_deref() == equipment && o.point == point);
        let mut found = Vec::new();
        if let Some(operand) = named {
            collect(&self.root, operand, false, &mut found);
        }
        found
    }
}

fn collect(node: &Node, operand: usize, is_negated: bool, found: &mut Vec<Threshold>) {
    match node {
        Node::Not(a) => collect(a, operand, !is_negated, found),
        Node::And(a, b) | Node::Or(a, b) | Node::Same(a, b, _) => {
            collect(a, operand, is_negated, found);
            collect(b, operand, is_negated, found);
        }
        Node::Compare(Compare::Equal | Compare::Unequal, _, _) => {}
        Node::Compare(how, NumberNode::Point(p), NumberNode::Constant(c))
        | Node::Compare(how, NumberNode::Constant(c), NumberNode::Point(p)) => {
            let is_reversed = matches!(node, Node::Compare(_, NumberNode::Constant(_), _));
            let is_greater = matches!(how, Compare::Greater | Compare::GreaterOrEqual);
            let is_above = is_greater ^ is_reversed ^ is_negated;
            found.extend((*p == operand).then_some(Threshold { limit: *c, is_above }));
        }
        Node::Compare(..)
        | Node::Constant(_)
        | Node::Flag(_)
        | Node::Bit(..)
        | Node::TextIs(..)
        | Node::NoneOf(..)
        | Node::Recall(..) => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::expr::{Kind, Names, PointInfo, compile};
    use crate::words::Unit;

    struct Any;

    impl Names for Any {
        fn point(&self, equipment: Option<&str>, _name: &str) -> Option<PointInfo> {
            let kind = if equipment.is_some() { Kind::Foreign } else { Kind::Number(Unit::default()) };
            Some(PointInfo { kind })
        }

        fn known(&self, _equipment: Option<&str>) -> Vec<String> {
            Vec::new()
        }
    }

    #[test]
    fn only_what_is_compared_by_order_is_a_limit() {
        let text = "(x > 5 or 2 > x) and not (x == 3) and @e:x < 9 and avg(x, 1m) > 4 and y < 7";
        let program = compile(text, &Any).unwrap();
        let of = |equipment, point| {
            let found = program.thresholds_of(equipment, point).into_iter();
            found.map(|t| (t.limit, t.is_above)).collect::<Vec<_>>()
        };
        assert_eq!(of(None, "x"), [(5.0, true), (2.0, false)]);
        assert_eq!(of(Some("e"), "x"), [(9.0, false)]);
        assert_eq!(of(None, "y"), [(7.0, false)]);
        assert_eq!(of(None, "z"), []);
        let negated = compile("not (x >= 5)", &Any).unwrap();
        assert!(!negated.thresholds_of(None, "x")[0].is_above);
    }
}
