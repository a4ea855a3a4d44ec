"""The schedule: each task once, after all that it takes, whatever fails or is done again in between."""

from collections import Counter
from random import Random

from hypothesis import given, settings, strategies as st

from ripieno.core.plan import Task
from ripieno.core.schedule import Schedule

A, B, C, D, E = map(Task, "ABCDE")
MOST_REPAIRS = 6
CHANCE = st.integers(0, 1 << 32).map(Random)


@st.composite
def graphs(draw):
    """Tasks in an order in which each comes after what it takes."""
    tasks = [Task("step", (str(number),)) for number in range(draw(st.integers(0, 9)))]
    sources = [draw(st.sets(st.sampled_from(tasks[:at] or [None]), max_size=4)) for at in range(len(tasks))]
    return {task: sorted(found - {None}, key=tasks.index) for task, found in zip(tasks, sources, strict=True)}


def descendants(needs, task):
    found = {task}
    for other, sources in needs.items():
        if found & set(sources):
            found.add(other)
    return found - {task}


class Play:
    """A schedule, and what is known of it from sets alone.

    Tasks begin and end by chance; after each move the schedule is held against the sets.
    """

    def __init__(self, needs, chance):
        self.needs, self.chance = needs, chance
        self.schedule = Schedule(needs)
        self.running, self.done, self.lost = set(), set(), set()
        self.begun, self.repeated = Counter(), Counter()

    @property
    def waiting(self):
        return self.needs.keys() - self.running - self.done - self.lost

    def play(self, *ends):
        self.check()
        while self.schedule.ready or self.running:
            if self.schedule.ready and (not self.running or self.chance.random() < 0.5):
                self.begin()
            else:
                task = self.chance.choice(sorted(self.running, key=lambda task: task.item))
                self.running.remove(task)
                self.chance.choice(ends)(self, task)
            self.check()
        assert self.done | self.lost == self.needs.keys()
        return self

    def check(self):
        ready = [task for task in self.waiting if self.done.issuperset(self.needs[task])]
        assert Counter(self.schedule.ready) == Counter(ready)
        assert {task for task in self.needs if self.schedule.is_over(task)} == self.done | self.lost

    def begin(self):
        first = self.schedule.ready[0]
        assert self.schedule.begin() == first
        self.begun[first] += 1
        self.running.add(first)

    def finish(self, task):
        self.schedule.finish(task)
        self.done.add(task)

    def fail(self, task):
        expected, more = set(), {task}
        while more:
            expected |= more
            more = {other for other in self.waiting - expected if expected & set(self.needs[other])}
        found = self.schedule.give_up(task)
        assert Counter(found) == Counter(expected - {task})
        self.lost |= expected

    def find_damage(self, task):
        """Do again some of what a task takes, and the task."""
        sources = [source for source in self.needs[task] if source in self.done]
        makers = self.chance.sample(sources, self.chance.randint(0, len(sources)))
        again = [task, *makers]
        is_waited_for = makers or not self.done.issuperset(self.needs[task])
        may_be_done = not any(self.lost & set(self.needs[one]) for one in again)
        if not is_waited_for or not may_be_done or self.repeated.total() > MOST_REPAIRS:
            return self.finish(task)
        self.repeated.update(again)
        self.done.difference_update(makers)
        return self.schedule.again(task, makers)


@given(graphs(), CHANCE)
def test_every_task_begins_exactly_once_after_all_that_it_takes(needs, chance):
    played = Play(needs, chance).play(Play.finish)
    assert played.begun == Counter(needs.keys()) and played.done == needs.keys()


@given(graphs(), CHANCE)
def test_a_failure_loses_what_depends_on_it_and_nothing_else(needs, chance):
    failed = set()

    def fail(play, task):
        failed.add(task)
        play.fail(task)

    played = Play(needs, chance).play(Play.finish, fail)
    lost = set().union(failed, *(descendants(needs, task) for task in failed))
    assert played.lost == lost and played.done == needs.keys() - lost
    assert played.begun == Counter(played.done | failed)


@settings(max_examples=300)
@given(graphs(), CHANCE)
def test_what_is_damaged_is_done_again_before_all_that_still_take_it(needs, chance):
    played = Play(needs, chance).play(Play.finish, Play.find_damage)
    assert played.begun == Counter(needs.keys()) + played.repeated and played.done == needs.keys()


@settings(max_examples=300)
@given(graphs(), CHANCE)
def test_failures_and_damage_together_leave_nothing_waiting(needs, chance):
    played = Play(needs, chance).play(Play.finish, Play.find_damage, Play.fail)
    assert not played.waiting and not played.running


def begun(schedule):
    """What begins, one task after the other."""
    order = []
    while schedule.ready:
        order.append(schedule.begin())
        schedule.finish(order[-1])
    return order


def test_tasks_begin_in_the_order_in_which_they_became_ready():
    assert begun(Schedule({A: [], B: [], C: [A], D: [], E: [A, D]})) == [A, B, D, C, E]


def test_a_task_that_can_do_without_what_failed_waits_for_the_rest():
    schedule = Schedule({A: [], B: [A], C: [], D: [B, C], E: [D]}, {D: {B}})
    schedule.begin()
    assert schedule.give_up(A) == [B]
    assert begun(schedule) == [C, D, E]
    schedule = Schedule({A: [], B: [], C: [A, B]}, {C: {A, B}})
    for task in (schedule.begin(), schedule.begin()):
        assert schedule.give_up(task) == []
    assert begun(schedule) == [C]
    schedule = Schedule({A: [], B: [], C: [A, B]}, {C: {A}})
    for task, lost in ((schedule.begin(), []), (schedule.begin(), [C])):
        assert schedule.give_up(task) == lost
    assert not schedule.ready


def test_two_that_find_one_source_damaged_wait_for_it_once():
    schedule = Schedule({A: [], B: [A], C: [A]})
    schedule.finish(schedule.begin())
    assert [schedule.begin(), schedule.begin()] == [B, C]
    schedule.again(B, [A])
    schedule.again(C, [])
    assert begun(schedule) == [A, B, C]


def test_a_source_whose_own_source_is_being_done_again_waits_for_that():
    schedule = Schedule({A: [], B: [A], C: [B], D: [A]})
    schedule.finish(schedule.begin())
    assert [schedule.begin(), schedule.begin()] == [B, D]
    schedule.finish(B)
    assert schedule.begin() == C
    schedule.again(D, [A])
    schedule.again(C, [B])
    assert schedule.begin() == A and not schedule.ready
    schedule.finish(A)
    assert begun(schedule) == [B, D, C]
