// Hidden, and yet nothing that can be done with it may be unsound: here, a probe would keep what it
// is only lent.
#![forbid(unsafe_code)]

use hotprobe::__private::{Place, Slot};
use hotprobe::Metadata;

static METADATA: Metadata = Metadata::new(b"E", b"m", ("f", 1, 1), "", &[]);
static PLACE: Place<for<'a> fn(Slot<'_>, &'a str)> = Place::new(&METADATA);

fn main() {
    let _same: &'static Place<for<'a> fn(Slot<'_>, &'a str)> = &PLACE;
}
