"""Those who listen to what happens during a run.

Conventions
-----------
A listener is a `ripieno.contracts.Hooks` whose class defines some of the events; it needs no marker and
may leave out arguments. pluggy finds and calls the methods.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from ripieno.contracts.errors import PluginError
from ripieno.contracts.hooks import EVENTS, Hooks

from .loading import one_line

if TYPE_CHECKING:
    from pluggy import PluginManager


class Listeners:
    """Listeners in the order in which they were added.

    Parameters
    ----------
    report : callable
        Called with one line when a listener raises; the run goes on.
    """

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._manager = _manager()
        self._names: dict[Any, str] = {}

    def add(self, listener: Hooks, *, name: str = "") -> None:
        """Let a listener hear what happens from now on.

        Parameters
        ----------
        listener : Hooks
            Added once.
        name : str
            Shown when it raises; its class where not given.

        Raises
        ------
        PluginError
            If it is no `Hooks` or defines an event with arguments that the event does not have.
        """
        from pluggy import PluginValidationError

        name = name or type(listener).__qualname__
        if not isinstance(listener, Hooks):
            raise PluginError(f"{name} is no listener. Derive its class from Hooks of ripieno.contracts")
        try:
            self._manager.register(listener, name=f"{len(self._names)} {name}")
        except PluginValidationError as error:
            raise PluginError(f"{name} is no listener: {one_line(error)}") from error
        self._names[listener] = name

    def emit(self, event: str, **facts: Any) -> None:
        """Tell every listener.

        Parameters
        ----------
        event : str
            Name of a method of `Hooks`.
        **facts
            Its arguments.
        """
        for listener, name in self._names.items():
            # One call a listener: in a call of all, the first that raises would keep the rest from hearing.
            others = [other for other in self._names if other is not listener]
            try:
                self._manager.subset_hook_caller(event, others)(**facts)
            except Exception as error:
                self._report(f"{name}: {event} raised {type(error).__name__}: {one_line(error)}")


def _manager() -> "PluginManager":
    from pluggy import HookimplOpts, HookspecOpts, PluginManager

    class Manager(PluginManager):
        def parse_hookspec_opts(self, module_or_class: Any, name: str) -> HookspecOpts | None:
            if name not in EVENTS:
                return None
            return HookspecOpts(firstresult=False, historic=False, warn_on_impl=None, warn_on_impl_args=None)

        def parse_hookimpl_opts(self, plugin: Any, name: str) -> HookimplOpts | None:
            if name not in EVENTS or getattr(type(plugin), name) is EVENTS[name]:
                return None
            return cast("HookimplOpts", {})  # pluggy completes them

    manager = Manager("ripieno")
    manager.add_hookspecs(Hooks)
    return manager
