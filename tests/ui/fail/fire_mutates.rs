// It would advance the iterator only while somebody looks.
use hotprobe::fire;

hotprobe::event! {
    static NEXT: fn(n: u32);
}

fn main() {
    let mut numbers = [1, 2, 3].into_iter();
    fire!(NEXT, numbers.next().unwrap());
}
