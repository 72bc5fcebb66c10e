fn attach_nothing<E: hotprobe::TypedEvent>(event: &'static E) -> &'static str {
    event.event().name()
}

hotprobe::event! {
    static TICK: fn();
}

fn main() {
    attach_nothing(&TICK);
}
