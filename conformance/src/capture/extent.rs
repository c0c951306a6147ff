//! Where a JSON object ends, without reading what is in it.

use crate::json::MAX_DEPTH;

/// Follows the brackets of one object, piece by piece.
pub(super) struct Extent {
    depth: usize,
    in_string: bool,
    is_escaped: bool,
    /// Bytes of the pieces before this one.
    before: usize,
    /// Where the elements of the object's own list begin, while within one.
    elements: Option<usize>,
}

/// What a piece brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Followed {
    /// The object goes on.
    On,
    /// It ends so many bytes into the piece.
    Ended(usize),
    /// It is no JSON: a line ends within a string.
    Broken,
    /// It nests more deeply than is read.
    TooDeep,
}

impl Extent {
    /// Of an object from its `{`.
    pub(super) fn of_object() -> Self {
        Extent { depth: 0, in_string: false, is_escaped: false, before: 0, elements: None }
    }

    /// Of what is left of an object.
    pub(super) fn of_rest_of_object() -> Self {
        Extent { depth: 1, ..Extent::of_object() }
    }

    /// Where in the object the elements of a list that is the value of one of its keys begin, if
    /// the pieces so far end within that list.
    pub(super) fn elements(&self) -> Option<usize> {
        self.elements
    }

    pub(super) fn follow(&mut self, piece: &[u8]) -> Followed {
        let mut at = 0;
        while let Some(&byte) = piece.get(at) {
            if self.is_escaped {
                self.is_escaped = false;
                at += 1;
            } else if self.in_string {
                let Some(found) = memchr::memchr3(b'"', b'\\', b'\n', &piece[at..]) else { break };
                at += found + 1;
                match piece[at - 1] {
                    b'"' => self.in_string = false,
                    b'\\' => self.is_escaped = true,
                    _ => return Followed::Broken,
                }
            } else {
                at += 1;
                match byte {
                    b'"' => self.in_string = true,
                    b'{' | b'[' => {
                        self.depth += 1;
                        if self.depth > MAX_DEPTH {
                            return Followed::TooDeep;
                        }
                        if self.depth == 2 && byte == b'[' {
                            self.elements = Some(self.before + at);
                        }
                    }
                    b'}' | b']' => {
                        self.depth = self.depth.saturating_sub(1);
                        match self.depth {
                            0 => return Followed::Ended(at),
                            1 => self.elements = None,
                            _ => {}
                        }
                    }
                    _ => {}
                }
            }
        }
        self.before += piece.len();
        Followed::On
    }
}
