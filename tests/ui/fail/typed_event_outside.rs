use hotprobe::{AnyEvent, Batch, Event, Probe, ProbeOptions, TypedEvent};

hotprobe::event! {
    static TICK: fn();
}

type Tick = dyn Fn() + Send + Sync;

struct Renamed;

impl TypedEvent for Renamed {
    type Probe = Tick;

    fn attach_boxed(&'static self, probe: Box<Tick>) -> Probe {
        TICK.attach_boxed(probe)
    }

    fn attach_boxed_in(&'static self, batch: &mut Batch, options: ProbeOptions, probe: Box<Tick>) {
        TICK.attach_boxed_in(batch, options, probe);
    }

    fn event(&'static self) -> &'static Event<Tick> {
        TICK.event()
    }

    fn as_any_event(&'static self) -> &'static dyn AnyEvent {
        TICK.as_any_event()
    }
}

fn main() {
    let _renamed = Renamed;
}
