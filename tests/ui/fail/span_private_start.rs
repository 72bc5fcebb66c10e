mod shop {
    hotprobe::span! {
        pub static LOOKUP: pub(self) fn();
    }
}

fn main() {
    hotprobe::start!(shop::LOOKUP).end();
}
