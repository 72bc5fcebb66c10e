fn attach_nothing<E: hotprobe::TypedEvent>(event: &'static E) -> &'static str {
    event.event().name()
}

fn main() {
    attach_nothing(&1);
}
