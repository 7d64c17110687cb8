//! The numbers that a condition holds a point against: what a drawing shows as limits.

use super::compile::Program;
use super::evaluate::{Node, NumberNode};
use super::parser::Compare;

impl Program {
    /// The numbers with which a point, as it is, is compared by order.
    #[must_use]
    pub fn limits_of(&self, equipment: Option<&str>, point: &str) -> Vec<f64> {
        let named =
            self.operands.iter().position(|o| o.equipment.as_deref() == equipment && o.point == point);
        let mut found = Vec::new();
        if let Some(operand) = named {
            walk(&self.root, operand, &mut found);
        }
        found
    }
}

fn walk(node: &Node, operand: usize, found: &mut Vec<f64>) {
    match node {
        Node::Not(a) => walk(a, operand, found),
        Node::And(a, b) | Node::Or(a, b) | Node::Same(a, b, _) => {
            walk(a, operand, found);
            walk(b, operand, found);
        }
        Node::Compare(Compare::Equal | Compare::Unequal, _, _) => {}
        Node::Compare(_, NumberNode::Point(p), NumberNode::Constant(c))
        | Node::Compare(_, NumberNode::Constant(c), NumberNode::Point(p)) => {
            found.extend((*p == operand).then_some(*c));
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
        assert_eq!(program.limits_of(None, "x"), [5.0, 2.0]);
        assert_eq!(program.limits_of(Some("e"), "x"), [9.0]);
        assert_eq!(program.limits_of(None, "z"), [0.0; 0]);
    }
}
