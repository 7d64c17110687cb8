//! The numbers that a condition holds a point against: what a drawing shows as limits.

use super::compile::Program;
use super::evaluate::{Node, NumberNode};
use super::parser::Compare;

/// A number that a point is held against.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// The number.
    pub limit: f64,
    /// Whether the comparison is true above it; else it is below.
    pub is_above: bool,
}

impl Program {
    /// The numbers with which a point, as it is, is compared by order.
    #[must_use]
    pub fn thresholds_of(&self, equipment: Option<&str>, point: &str) -> Vec<Threshold> {
        let named =
            self.operands.iter().position(|o| o.equipment.as_deref() == equipment && o.point == point);
        let mut found = Vec::new();
        if let Some(operand) = named {
            walk(&self.root, operand, false, &mut found);
        }
        found
    }
}

fn walk(node: &Node, operand: usize, is_negated: bool, found: &mut Vec<Threshold>) {
    match node {
        Node::Not(a) => walk(a, operand, !is_negated, found),
        Node::And(a, b) | Node::Or(a, b) | Node::Same(a, b, _) => {
            walk(a, operand, is_negated, found);
            walk(b, operand, is_negated, found);
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
