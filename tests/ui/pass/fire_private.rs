mod store {
    hotprobe::event! {
        pub static STORED: pub(self) fn(id: u64);
        pub static REMOVED: pub(in self) fn(id: u64);
    }

    pub fn store(id: u64) {
        hotprobe::fire!(STORED, id);
        REMOVED.fire(id);
    }
}

fn main() {
    store::STORED.attach(|id| println!("{id}")).leak();
    store::REMOVED.attach(|id| println!("{id}")).leak();
    store::store(1);
}
