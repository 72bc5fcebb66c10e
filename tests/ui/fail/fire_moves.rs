// The vector would be gone only while somebody looks.
use hotprobe::fire;

hotprobe::event! {
    static SUM: fn(n: u32);
}

fn main() {
    let numbers = vec![1, 2, 3];
    fire!(SUM, numbers.into_iter().sum());
}
