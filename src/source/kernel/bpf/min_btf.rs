//! Cuts the BTF of a kernel down to the types that a program uses, as `bpftool gen min_core_btf` does.
//!
//! For each structure that a program reads, libbpf searches all types of the kernel, more than a hundred
//! thousand: half of the time that loading takes. In an excerpt it finds the same types sooner. No I/O.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::ffi::CStr;

use FieldKind::{Name, Number, Pointee, Type};

const MAGIC: u16 = 0xeb9f;
const VERSION: u8 = 1;
const HEADER_SIZE: u32 = 24;

/// The meaning of a word of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FieldKind {
    /// The offset of a string.
    Name,
    /// The id of a type that this one contains.
    Type,
    /// The id of a type that this one points to. libbpf only compares whether both are pointers, so an
    /// excerpt has only pointers to void.
    Pointee,
    /// A number that does not depend on the position of the type.
    Number,
}

/// The second word of a type: kind, number of members, and a flag.
#[derive(Debug, Clone, Copy)]
struct Info(u32);

impl Info {
    fn kind(self) -> u32 {
        self.0 >> 24 & 0x1f
    }

    /// The words after the first two: those that occur once, and those of each member. `None` for a kind
    /// newer than this table, whose length is unknown.
    fn layout(self) -> Option<(&'static [FieldKind], &'static [FieldKind])> {
        Some(match self.kind() {
            // int
            1 => (&[Number, Number], &[]),
            // pointer
            2 => (&[Pointee], &[]),
            // array: of what, indexed by what, how many
            3 => (&[Number, Type, Type, Number], &[]),
            // struct, union
            4 | 5 => (&[Number], &[Name, Type, Number]),
            // enum
            6 => (&[Number], &[Name, Number]),
            // forward declaration, float
            7 | 16 => (&[Number], &[]),
            // typedef, volatile, const, restrict, function, type tag
            8..=12 | 18 => (&[Type], &[]),
            // function prototype
            13 => (&[Type], &[Name, Type]),
            // variable, declaration tag
            14 | 17 => (&[Type, Number], &[]),
            // section
            15 => (&[Number], &[Type, Number, Number]),
            // enum of 64 bits
            19 => (&[Number], &[Name, Number, Number]),
            _ => return None,
        })
    }

    /// What follows the first two words, in order.
    fn rest(self) -> Option<impl Iterator<Item = FieldKind>> {
        let (once, each) = self.layout()?;
        let members = (self.0 & 0xffff) as usize;
        Some(
            once.iter()
                .chain(each.iter().cycle().take(each.len() * members))
                .copied(),
        )
    }

    fn size(self) -> Option<usize> {
        let (once, each) = self.layout()?;
        Some(4 * (2 + once.len() + each.len() * (self.0 & 0xffff) as usize))
    }

    /// Whether libbpf may search a type of this kind by its name.
    fn is_named_in_programs(self) -> bool {
        matches!(self.kind(), 1 | 4..=8 | 16 | 19)
    }
}

#[derive(Debug)]
struct Btf<'a> {
    types: &'a [u8],
    strings: &'a [u8],
    /// The offset of each type; the first one has the id 1.
    starts: Vec<usize>,
}

impl<'a> Btf<'a> {
    /// `None` if this is not BTF, or of an unknown version.
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let magic = u16::from_ne_bytes([*bytes.first()?, *bytes.get(1)?]);
        if magic != MAGIC || *bytes.get(2)? != VERSION {
            return None;
        }
        let header = |at| Some(word(bytes, at)? as usize);
        let body = bytes.get(header(4)?..)?;
        let section = |start: usize, len: usize| body.get(start..).and_then(|rest| rest.get(..len));
        let types = section(header(8)?, header(12)?)?;
        let strings = section(header(16)?, header(20)?)?;
        let mut starts = Vec::new();
        let mut at = 0;
        while at < types.len() {
            starts.push(at);
            at += Info(word(types, at + 4)?).size()?;
        }
        (at == types.len()).then_some(Self {
            types,
            strings,
            starts,
        })
    }

    fn start(&self, id: u32) -> Option<usize> {
        self.starts.get((id as usize).checked_sub(1)?).copied()
    }

    /// The words of a type with their meaning.
    fn words(&self, id: u32) -> Option<impl Iterator<Item = (FieldKind, u32)>> {
        let start = self.start(id)?;
        let info = Info(word(self.types, start + 4)?);
        let meanings = [Name, Number].into_iter().chain(info.rest()?);
        let words = self.types[start..].chunks_exact(4);
        Some(meanings.zip(words.map(|word| u32::from_ne_bytes(word.try_into().unwrap_or([0; 4])))))
    }

    fn string(&self, at: u32) -> Option<&'a CStr> {
        CStr::from_bytes_until_nul(self.strings.get(at as usize..)?).ok()
    }

    /// Whether libbpf, searching for one of `names`, would consider the type at this offset.
    fn is_named(&self, start: usize, names: &HashSet<&[u8]>) -> Option<bool> {
        if !Info(word(self.types, start + 4)?).is_named_in_programs() {
            return Some(false);
        }
        let name = self.string(word(self.types, start)?)?;
        Some(names.contains(strip_flavor(name.to_bytes())))
    }

    /// The types of these names and all that they contain, each with its new id.
    fn select(&self, names: &HashSet<&[u8]>) -> Option<BTreeMap<u32, u32>> {
        let mut chosen = BTreeMap::new();
        let mut pending = Vec::new();
        for (id, start) in (1..).zip(&self.starts) {
            if self.is_named(*start, names)? {
                pending.push(id);
            }
        }
        while let Some(id) = pending.pop() {
            if chosen.insert(id, 0).is_none() {
                let parts = self
                    .words(id)?
                    .filter(|(word, id)| *word == Type && *id != 0);
                pending.extend(parts.map(|(_, id)| id));
            }
        }
        for (new, id) in (1..).zip(chosen.values_mut()) {
            *id = new;
        }
        Some(chosen)
    }
}

/// A name without its flavor: to libbpf, `task_struct___old` is a `task_struct`. Where its rule differs
/// from this one, this one cuts off more, so that no type is missed.
fn strip_flavor(name: &[u8]) -> &[u8] {
    let end = name.windows(3).skip(1).position(|w| w == b"___");
    end.map_or(name, |end| &name[..=end])
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let word = bytes.get(at..)?.get(..4)?;
    Some(u32::from_ne_bytes(word.try_into().ok()?))
}

/// Keeps the types of these names and all that they contain. `None` if `btf` is not BTF, or of an unknown
/// version.
pub(crate) fn minimize(btf: &[u8], names: &[&str]) -> Option<Vec<u8>> {
    let btf = Btf::parse(btf)?;
    let names = names.iter().map(|name| strip_flavor(name.as_bytes()));
    let chosen = btf.select(&names.collect())?;
    let mut types = Vec::new();
    // The first string is the empty one.
    let mut strings = vec![0];
    let mut offsets = BTreeMap::from([(0, 0)]);
    for id in chosen.keys() {
        for (meaning, word) in btf.words(*id)? {
            let word = match meaning {
                Name if !offsets.contains_key(&word) => {
                    let offset = u32::try_from(strings.len()).ok()?;
                    strings.extend(btf.string(word)?.to_bytes_with_nul());
                    offsets.insert(word, offset);
                    offset
                }
                Name => offsets[&word],
                Type if word == 0 => 0,
                Type => *chosen.get(&word)?,
                Pointee => 0,
                Number => word,
            };
            types.extend(word.to_ne_bytes());
        }
    }
    let [type_size, string_size] = [&types, &strings].map(|part| u32::try_from(part.len()));
    let (type_size, string_size) = (type_size.ok()?, string_size.ok()?);
    let mut bytes = MAGIC.to_ne_bytes().to_vec();
    bytes.extend([VERSION, 0]);
    for word in [HEADER_SIZE, 0, type_size, type_size, string_size] {
        bytes.extend(word.to_ne_bytes());
    }
    bytes.extend(types);
    bytes.extend(strings);
    Some(bytes)
}
