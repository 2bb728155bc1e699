//! Deliberate faults in the generated rules, which their tests have to notice.
//!
//! A long test: `BOT_METRICS_LONG_TESTS=1` tries every fault and prints those that go unnoticed; with `FAULT_STEP=20` only
//! one in twenty is tried.

use libtest_mimic::Failed;

use crate::desk::settings;
use crate::scenarios::{Suite, in_halves, seconds};

/// The part of the faults that the tests must notice.
const NOTICED: f64 = 0.95;

/// Faults that change nothing: the end of the rule's name, the fault, and the reason.
const EQUIVALENT: [(&str, &str, &str); 1] =
    [("_10m", "`0` becomes `-1`", "any comparison drops NaN, and no quantile is below 0")];

/// A rule with a fault.
#[derive(Clone, Debug)]
struct Mutant {
    rule: usize,
    fault: String,
    expr: String,
}

impl Mutant {
    /// The expression of a rule, which has this one without the fault.
    fn expr_of(&self, rule: usize, expr: &str) -> String {
        match &*self.fault {
            WITHOUT_JOB => without_job(expr),
            _ if rule == self.rule => self.expr.clone(),
            _ => expr.to_owned(),
        }
    }
}

/// At least this part of the faults is noticed.
pub(crate) fn noticed() -> Result<(), Failed> {
    let suite = Suite::of(&settings())?;
    let all = all_mutants(&suite);
    let step = std::env::var("FAULT_STEP").ok().and_then(|step| step.parse().ok()).unwrap_or(1);
    let tried: Vec<_> = all.iter().step_by(step).collect();
    let unnoticed: usize = in_halves(&tried, |half| unnoticed(&suite, half))?.into_iter().sum();
    println!("{} of {} faults tried, {} unnoticed", tried.len(), all.len(), unnoticed);
    #[expect(clippy::cast_precision_loss, reason = "hundreds")]
    let part = 1.0 - unnoticed as f64 / tried.len() as f64;
    if part < NOTICED { Err(format!("only {part:.3} of the faults are noticed").into()) } else { Ok(()) }
}

fn all_mutants(suite: &Suite) -> Vec<Mutant> {
    let of_rule = |rule| {
        let mutants = mutants(suite.expr(rule)).into_iter();
        mutants.map(move |(fault, expr)| Mutant { rule, fault, expr })
    };
    let all = (0..suite.len()).flat_map(of_rule);
    let is_rule = |mutant: &Mutant| promql_parser::parser::parse(&mutant.expr).is_ok();
    let all: Vec<_> = all.filter(is_rule).collect();
    let (equivalent, faults): (Vec<_>, Vec<_>) = all.into_iter().partition(|mutant| {
        EQUIVALENT
            .iter()
            .any(|(rule, fault, _)| suite.name(mutant.rule).ends_with(rule) && mutant.fault == *fault)
    });
    println!("{} faults are left out because they change nothing", equivalent.len());
    faults
}

/// The number of faults that the tests do not notice. Prints each.
fn unnoticed(suite: &Suite, mutants: &[&Mutant]) -> Result<usize, Failed> {
    let mut unnoticed = 0;
    let mut tested = None;
    for mutant in mutants {
        let parts = match tested.take() {
            Some((rule, parts)) if rule == mutant.rule => parts,
            _ => suite.parts_of(mutant.rule),
        };
        let mut passes = true;
        for part in parts.iter().filter(|part| part.needs(mutant.rule)) {
            passes = passes && part.run(|rule, expr| mutant.expr_of(rule, expr))?.status.success();
        }
        if passes {
            println!("unnoticed: {}: {}\n{}\n", suite.name(mutant.rule), mutant.fault, mutant.expr);
            unnoticed += 1;
        }
        tested = Some((mutant.rule, parts));
    }
    Ok(unnoticed)
}

/// The faulty versions of an expression: another operator, threshold, window or label, and a match on all labels.
fn mutants(expr: &str) -> Vec<(String, String)> {
    let mut mutants = Vec::new();
    let mut replace = |at: usize, old: &str, new: &str| {
        let mutant = format!("{}{new}{}", &expr[..at], &expr[at + old.len()..]);
        mutants.push((format!("`{}` becomes `{new}`", old.trim()), mutant));
    };
    for (old, new) in [
        (" > ", " < "),
        (" < ", " > "),
        (" == ", " != "),
        (" != ", " == "),
        (" >= ", " < "),
        (" <= ", " > "),
        (" - ", " + "),
        (" / ", " * "),
        ("and ", "unless "),
        ("unless ", "and "),
        ("or ", "and "),
        ("on (job, instance) ", ""),
    ] {
        for (at, _) in expr.match_indices(old) {
            let begins_word = at == 0 || !expr.as_bytes()[at - 1].is_ascii_alphanumeric();
            if begins_word || old.starts_with(' ') {
                replace(at, old, new);
            }
        }
    }
    for (at, word) in words(expr) {
        if let Some(digits) = word
            .strip_suffix(['d', 'h', 'm', 's'])
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
        {
            let (unit, number) = (&word[digits.len()..], digits.parse::<u64>().unwrap_or(1));
            replace(at, word, &format!("{}{unit}", number * 2));
            replace(at, word, &format!("{}s", seconds(word) / 2));
        } else if let Ok(number) = word.parse::<f64>() {
            for new in if number == 0.0 { vec![-1.0] } else { vec![number * 2.0, number / 2.0] } {
                replace(at, word, &new.to_string());
            }
        }
    }
    for (at, _) in expr.match_indices("=\"").chain(expr.match_indices("=~\"")) {
        let value = at + expr[at..].find('"').unwrap_or(0) + 1;
        let end = value + expr[value..].find('"').unwrap_or(0);
        replace(value, &expr[value..end], "mutated");
        let begin = expr[..at].rfind(['{', ',']).map_or(at, |begin| begin + 1);
        if expr[begin..at].trim() == "job" {
            continue;
        }
        let comma = usize::from(expr[end + 1..].starts_with(','));
        replace(begin, &expr[begin..end + 1 + comma], "");
    }
    mutants.push((WITHOUT_JOB.to_owned(), without_job(expr)));
    mutants
}

/// A fault of the mechanism by which every selector names the job: no selector does, also of the recordings that a rule
/// reads. That one of several selectors does not would often change nothing; a test of its own finds it.
const WITHOUT_JOB: &str = "the job disappears";

fn without_job(expr: &str) -> String {
    let Some((name, _)) = expr.split_once("job=\"").and_then(|(_, rest)| rest.split_once('"')) else {
        return expr.to_owned();
    };
    let job = format!("job=\"{name}\"");
    expr.replace(&format!("{job}, "), "").replace(&job, "")
}

/// The numbers and durations of an expression with their places, outside quotes and names.
fn words(expr: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let mut quoted = false;
    let mut begin = None;
    for (at, c) in expr.char_indices().chain([(expr.len(), ' ')]) {
        let of_word = !quoted && (c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':'));
        quoted ^= c == '"';
        match (begin, of_word) {
            (None, true) => begin = Some(at),
            (Some(start), false) => {
                words.push((start, &expr[start..at]));
                begin = None;
            }
            _ => {}
        }
    }
    words.retain(|(_, word)| word.starts_with(|c: char| c.is_ascii_digit()));
    words
}
