mod store {
    hotprobe::event! {
        pub static STORED: pub(self) fn(id: u64);
        pub static REMOVED: pub(in crate::store) fn(id: u64);
    }

    pub fn store(id: u64) {
        hotprobe::fire!(STORED, id);
        REMOVED.fire(id);
    }
}

fn main() {
    store::store(1);
    hotprobe::fire!(store::STORED, 2);
    store::REMOVED.fire(3);
}
