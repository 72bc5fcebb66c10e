mod shop {
    hotprobe::span! {
        pub static LOOKUP: fn();
    }
}

fn main() {
    hotprobe::start!(shop::LOOKUP).end();
}
