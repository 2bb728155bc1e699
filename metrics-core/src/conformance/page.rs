//! A page in one of the two text formats.

use super::assembly::{Assembly, Part};
use super::findings::{Finding, Findings};
use super::line::{Keyword, Line, SampleLine, parse};
use super::page_fault::PageFault;
use crate::exposition::family_type::FamilyType;
use crate::exposition::rules::description::{FamilyDescription, Style};
use crate::exposition::rules::family::{TakenNames, check_family};

/// Reads a page, and calls `visit` with each family.
pub(super) fn read<'a>(
    page: &'a [u8],
    style: Style,
    now_ms: i64,
    visit: &mut dyn FnMut(&FamilyDescription<'_>),
) -> Vec<Finding> {
    let findings = Findings::of("line");
    let mut reader = PageReader {
        style,
        now_ms,
        findings,
        visit,
        taken: TakenNames::default(),
        open: None,
        has_ended: false,
    };
    let page = reader.without_mark(page);
    let mut position = 0;
    for line in page.split_inclusive(|byte| *byte == b'\n') {
        position += 1;
        reader.read_line(position, line);
    }
    reader.close();
    if style == Style::OpenMetrics && !reader.has_ended {
        reader.found(position.max(1), "", PageFault::NoEof);
    } else if style == Style::Text && page.last().is_some_and(|byte| *byte != b'\n') {
        reader.found(position, "", PageFault::LastNewline);
    }
    reader.findings.into_all()
}

struct PageReader<'a, 'r> {
    style: Style,
    now_ms: i64,
    findings: Findings,
    visit: &'r mut dyn FnMut(&FamilyDescription<'_>),
    /// The names of the families that are closed.
    taken: TakenNames,
    open: Option<OpenFamily<'a>>,
    /// Whether the line `# EOF` was read.
    has_ended: bool,
}

/// The family of the last line.
struct OpenFamily<'a> {
    position: usize,
    assembly: Assembly<'a>,
    keywords: Vec<Keyword>,
    unit: Option<String>,
    has_samples: bool,
    /// Whether a part of it is closed already, which is a finding; it is not checked.
    is_apart: bool,
}

impl<'a> PageReader<'a, '_> {
    fn without_mark<'p>(&mut self, page: &'p [u8]) -> &'p [u8] {
        let rest = page.strip_prefix("\u{feff}".as_bytes());
        if rest.is_some() {
            self.found(1, "", PageFault::ByteOrderMark);
        }
        rest.unwrap_or(page)
    }

    fn read_line(&mut self, position: usize, line: &'a [u8]) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let without_return = line.strip_suffix(b"\r");
        if without_return.is_some() {
            self.found(position, "", PageFault::CarriageReturn);
        }
        if self.has_ended {
            return self.found(position, "", PageFault::AfterEof);
        }
        let Ok(line) = std::str::from_utf8(without_return.unwrap_or(line)) else {
            return self.found(position, "", PageFault::Utf8);
        };
        match parse(line, self.style) {
            Ok(Line::Other) => {}
            Ok(Line::Eof) => self.has_ended = true,
            Ok(Line::About { keyword, name, text }) => self.about(position, keyword, name, &text),
            Ok(Line::Sample(sample)) => self.sample(position, sample),
            Err(fault) => {
                let name = line.split(['{', ' ', '\t']).next().filter(|name| !name.starts_with('#'));
                self.found(position, name.unwrap_or_default(), fault);
            }
        }
    }

    /// Reads a line about a family.
    fn about(&mut self, position: usize, keyword: Keyword, name: &'a str, text: &str) {
        let mut open = match self.open.take() {
            Some(open) if open.assembly.family.name == name => open,
            other => {
                self.open = other;
                self.open(position, name, name)
            }
        };
        let fault = if open.keywords.contains(&keyword) {
            Some(PageFault::Twice(keyword.as_str()))
        } else if open.has_samples {
            Some(PageFault::Late(keyword.as_str()))
        } else {
            open.about(keyword, text).err()
        };
        open.keywords.push(keyword);
        self.open = Some(open);
        if let Some(fault) = fault {
            self.found(position, name, fault);
        }
    }

    fn sample(&mut self, position: usize, sample: SampleLine<'a>) {
        let open = self.open.take();
        let part = open.as_ref().and_then(|open| open.assembly.part(sample.name));
        let (mut open, part) = match (open, part) {
            (Some(open), Some(part)) => (open, part),
            (Some(open), None) if open.is_alike(sample.name) && self.taken.owner(sample.name).is_none() => {
                self.found(position, &open.assembly.family.name, open.wrong_suffix(sample.name));
                self.open = Some(OpenFamily { has_samples: true, ..open });
                return;
            }
            (open, _) => {
                self.open = open;
                let owner = self.taken.owner(sample.name).map(|(owner, _)| owner.clone());
                let open = match owner {
                    Some(owner) if owner != sample.name => self.open(position, sample.name, &owner),
                    _ => self.open(position, sample.name, sample.name),
                };
                let part = open.assembly.part(sample.name).unwrap_or(Part::Value);
                (open, part)
            }
        };
        open.has_samples = true;
        let family = open.assembly.family.name.clone();
        let findings = &mut self.findings;
        open.assembly.add(part, sample, position, &mut |fault| findings.add(position, &family, None, &fault));
        self.open = Some(open);
    }

    /// Closes the family that is open, and opens another one, whose name is `name` or an earlier `owner` of it.
    fn open(&mut self, position: usize, name: &'a str, owner: &str) -> OpenFamily<'a> {
        self.close();
        let earlier = self.taken.owner(owner).filter(|(family, _)| family == owner).cloned();
        let is_apart = earlier.is_some();
        if is_apart {
            self.found(position, owner, PageFault::Apart);
        }
        let (name, family_type) = match earlier {
            Some((owner, family_type)) => (owner.into(), family_type),
            None => (name.into(), FamilyType::Untyped),
        };
        let assembly = Assembly::new(self.style, name, family_type);
        OpenFamily { position, assembly, keywords: Vec::new(), unit: None, has_samples: false, is_apart }
    }

    /// Closes the family that is open, and checks it.
    fn close(&mut self) {
        let Some(OpenFamily { position, assembly, unit, is_apart: false, .. }) = self.open.take() else {
            return;
        };
        let family = assembly.family;
        let names = match self.style {
            Style::OpenMetrics => family.family_type.openmetrics_names(&family.name),
            Style::Text | Style::Messages => family.family_type.names(&family.name),
        };
        if let Err(fault) = self.taken.take(&family.name, family.family_type, names) {
            self.found(position, &family.name, fault);
        }
        if let Some(unit) = unit
            && let Err(fault) = check_unit(&family, unit)
        {
            self.found(position, &family.name, fault);
        }
        let findings = &mut self.findings;
        let _ = check_family(&family, self.now_ms, &mut |series, fault| {
            findings.add(series.map_or(position, |series| series.position), &family.name, series, &fault);
        });
        (self.visit)(&family);
    }

    fn found(&mut self, position: usize, family: &str, fault: impl Into<PageFault>) {
        self.findings.add(position, family, None, &fault.into());
    }
}

impl OpenFamily<'_> {
    fn about(&mut self, keyword: Keyword, text: &str) -> Result<(), PageFault> {
        let Assembly { family, .. } = &mut self.assembly;
        match keyword {
            Keyword::Help => {}
            Keyword::Unit => self.unit = Some(text.to_owned()),
            Keyword::Type => {
                let is_of = |family_type: &FamilyType| match family.style {
                    Style::OpenMetrics => family_type.openmetrics_word() == text,
                    Style::Text | Style::Messages => family_type.as_str() == text,
                };
                let types = match family.style {
                    Style::OpenMetrics => &FamilyType::ALL[..],
                    Style::Text | Style::Messages => &FamilyType::ALL[..5],
                };
                let family_type = types.iter().find(|family_type| is_of(family_type));
                family.family_type = *family_type.ok_or_else(|| PageFault::UnknownType(text.to_owned()))?;
            }
        }
        Ok(())
    }

    /// Whether a sample of this name seems to be meant as one of this family.
    fn is_alike(&self, sample: &str) -> bool {
        let rest = sample.strip_prefix(&*self.assembly.family.name);
        let has_type = self.is_apart || self.keywords.contains(&Keyword::Type);
        has_type && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    }

    fn wrong_suffix(&self, sample: &str) -> PageFault {
        let family = &self.assembly.family;
        let parts = Part::of(family.family_type, family.style).iter();
        let allowed = parts.map(|(suffix, _)| format!("{}{suffix}", family.name)).collect();
        PageFault::Suffix { found: sample.to_owned(), allowed }
    }
}

/// The total of a counter has its suffix after the unit, in OpenMetrics' samples alone.
fn check_unit(family: &FamilyDescription<'_>, unit: String) -> Result<(), PageFault> {
    if matches!(family.family_type, FamilyType::Info | FamilyType::StateSet) && !unit.is_empty() {
        return Err(PageFault::UnitOfType);
    }
    let has_it = family.name.strip_suffix(&*unit).is_some_and(|stem| stem.ends_with('_'));
    if unit.is_empty() || has_it { Ok(()) } else { Err(PageFault::Unit(unit)) }
}
