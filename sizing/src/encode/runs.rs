//! The hybrid of runs and packed groups that levels and dictionary indexes are written in.

use super::{pack, put_varint};

/// Values are looked at in groups of as many.
const GROUP: usize = 8;

/// Repetition or definition levels, of which the greatest possible is `max_level`.
pub(crate) fn levels(levels: &[u8], max_level: u8) -> Vec<u8> {
    let width = u8::BITS - max_level.leading_zeros();
    let mut output = Vec::new();
    let (groups, rest) = levels.as_chunks::<GROUP>();
    let mut at = 0;
    while let Some(group) = groups.get(at) {
        let is_run = |group: &[u8; GROUP], level: u8| group.iter().all(|each| *each == level);
        let run = groups[at..].iter().take_while(|each| is_run(each, group[0])).count();
        if run > 0 {
            put_run(&mut output, run * GROUP, u32::from(group[0]), width);
            at += run;
            continue;
        }
        // Packed groups go on until one is a run of what the group before began with.
        let begin = at;
        at += 1;
        while at < groups.len() && !is_run(&groups[at], groups[at - 1][0]) {
            at += 1;
        }
        let values = groups[begin..at].as_flattened().iter().map(|level| u64::from(*level));
        put_packed(&mut output, at - begin, values, width);
    }
    put_rest(&mut output, rest.iter().map(|level| u32::from(*level)), width);
    output
}

/// Indexes into a dictionary, with their width before them.
pub(crate) fn indexes(indexes: &[u32]) -> Vec<u8> {
    let greatest = indexes.iter().copied().max().unwrap_or(0);
    let width = u32::BITS - greatest.leading_zeros();
    let mut output = vec![width.to_le_bytes()[0]];
    if width == 0 {
        put_varint(&mut output, (indexes.len() as u64) << 1);
        return output;
    }
    let (groups, rest) = indexes.as_chunks::<GROUP>();
    let is_run = |group: &[u32; GROUP], index: u32| group.iter().all(|each| *each == index);
    let mut at = 0;
    while let Some(group) = groups.get(at) {
        let run = groups[at..].iter().take_while(|each| is_run(each, group[0])).count();
        if run > 0 {
            put_run(&mut output, run * GROUP, group[0], width);
            at += run;
            continue;
        }
        let begin = at;
        at += 1;
        while groups.get(at).is_some_and(|group| !is_run(group, group[0])) {
            at += 1;
        }
        let values = groups[begin..at].as_flattened().iter().map(|index| u64::from(*index));
        put_packed(&mut output, at - begin, values, width);
    }
    put_rest(&mut output, rest.iter().copied(), width);
    output
}

/// What does not fill a group: runs, however short.
fn put_rest(output: &mut Vec<u8>, rest: impl Iterator<Item = u32>, width: u32) {
    let mut rest = rest.peekable();
    while let Some(value) = rest.next() {
        let mut count = 1;
        while rest.next_if_eq(&value).is_some() {
            count += 1;
        }
        put_run(output, count, value, width);
    }
}

fn put_run(output: &mut Vec<u8>, count: usize, value: u32, width: u32) {
    put_varint(output, (count as u64) << 1);
    output.extend_from_slice(&value.to_le_bytes()[..width.div_ceil(8) as usize]);
}

fn put_packed(output: &mut Vec<u8>, groups: usize, values: impl Iterator<Item = u64>, width: u32) {
    put_varint(output, (groups as u64) << 1 | 1);
    pack(output, values, width);
}
