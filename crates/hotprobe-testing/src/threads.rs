//! What a test knows of the threads that it has started.

use super::schedule;
use super::state::{Goal, Inner, Life, Place, Thread};
use std::time::Instant;

impl Inner {
    pub(super) fn thread_starts(&self, started: Place) -> usize {
        let mut state = self.lock();
        state.threads.push(Thread {
            started,
            life: Life::Running,
            joined: false,
            actor: 0,
            system_id: None,
        });
        state.threads.len() - 1
    }

    pub(super) fn thread_runs(&self, number: usize, actor: u64) {
        let system_id = if self.is_explored() {
            schedule::system_id()
        } else {
            None
        };
        let mut state = self.lock();
        state.threads[number].actor = actor;
        state.threads[number].system_id = system_id;
    }

    pub(super) fn thread_ends(&self, number: usize, panicked: Option<String>) {
        let mut state = self.lock();
        state.threads[number].life = panicked.map_or(Life::Ended, Life::Panicked);
        state.moved = Instant::now();
        self.notify(&mut state);
    }

    pub(super) fn thread_joined(&self, number: usize) {
        self.lock().threads[number].joined = true;
    }

    #[track_caller]
    pub(super) fn join(&self, number: usize, at: Place) {
        self.wait(&Goal::Thread(number), "the end of a thread", at);
    }
}
