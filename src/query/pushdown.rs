//! Predicate push-down: the part of a filter and an order that a remote source can evaluate.

use super::fields::Field;
use super::filter::{Comparison, Expr, Filter, Test};
use super::sort::Sort;
use crate::analysis::thresholds::Thresholds;
use crate::source::request::{OrderBy, Predicate, SourceQuery};

/// The query whose response has every map that matches the filter, in this order.
#[must_use]
pub(crate) fn source_query(filter: &Filter, sort: Sort, thresholds: Thresholds) -> SourceQuery {
    let mut tests = Vec::new();
    if let Some(expr) = filter.expr() {
        collect_predicates(expr, &mut tests);
    }
    let column = sort.column.field();
    SourceQuery {
        predicates: tests,
        order: column.is_number().then(|| OrderBy {
            field: column.name,
            is_descending: sort.is_descending(),
        }),
        thresholds,
    }
}

/// The tests that every matching row has to pass.
fn collect_predicates(expr: &Expr, tests: &mut Vec<Predicate>) {
    match expr {
        Expr::And(all) => all.iter().for_each(|expr| collect_predicates(expr, tests)),
        Expr::Test(test) => tests.extend(to_predicate(test)),
        Expr::Or(_) | Expr::Not(_) => {}
    }
}

fn to_predicate(test: &Test) -> Option<Predicate> {
    let name = |column: &&'static Field| column.name;
    Some(match test {
        Test::Contains(column, part) => Predicate::Contains(name(column), part.clone()),
        Test::Is(column, whole) => Predicate::Is(name(column), whole.clone()),
        Test::Type(map_type) => Predicate::Is("type", map_type.to_string()),
        Test::Number(column, comparison, number) => {
            let comparison = match comparison {
                Comparison::Equal => "==",
                Comparison::Greater => ">",
                Comparison::GreaterOrEqual => ">=",
                Comparison::Less => "<",
                Comparison::LessOrEqual => "<=",
            };
            Predicate::Number(name(column), comparison, *number)
        }
        // A word may match in several fields, regular expressions differ between engines, and an unknown
        // value does not match a negation.
        Test::Word(_) | Test::Matches(..) | Test::Not(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(filter: &str, sort: &str) -> SourceQuery {
        let filter = Filter::parse(filter).expect("a filter");
        let sort = Sort::parse(sort).expect("a sort");
        source_query(&filter, sort, Thresholds::default())
    }

    #[test]
    fn required_tests_are_pushed_down() {
        let query = query("node:Web-3 (type:lru_hash pressure>80) conn name=x", "mem");
        assert_eq!(
            query.predicates,
            [
                Predicate::Contains("node", "web-3".to_owned()),
                Predicate::Is("type", "lru_hash".to_owned()),
                Predicate::Number("pressure", ">", 80.0),
                Predicate::Is("name", "x".to_owned()),
            ]
        );
        let first = query.order.expect("an order");
        assert_eq!((first.field, first.is_descending), ("mem", true));
    }

    #[test]
    fn optional_tests_are_not_pushed_down() {
        for filter in [
            "",
            "node:a or node:b",
            "not node:a",
            "node!=a",
            "node~a",
            "web",
        ] {
            assert_eq!(
                query(filter, "attention"),
                SourceQuery::default(),
                "{filter}"
            );
        }
    }
}
