"""One store a process: what a second call gets, and what the process of an optimisation gets of it."""
import backtrader as bt

from .errors import BadParameter


class MetaSingleton(type(bt.Store)):
    """One store a process; a second call that asks for something else is told so, never silently ignored."""

    def __call__(cls, *args, **kwargs):
        known = set(cls.params._getkeys())
        unknown = sorted(set(kwargs) - known)
        if unknown or args:
            raise BadParameter('IBStore has no parameter {}; it has {}'.format(
                ', '.join(unknown) or 'without a name', ', '.join(sorted(known))))
        if cls._singleton is None:
            return super().__call__(**kwargs)
        other = _differing(cls._singleton.p, kwargs)
        if other:
            cls._singleton.notify(
                'there is one IBStore a process and it exists already, so these arguments have no effect: {}; '
                'pass them to the first IBStore(...)'.format(', '.join(other)))
        return cls._singleton


def _differing(params, kwargs):
    return ['{}={!r} (it is {!r})'.format(name, value, getattr(params, name))
            for name, value in sorted(kwargs.items()) if getattr(params, name) != value]


def stand_in(cls, params):
    """A store that stands for one of another process; it never connects, and does not become the one of this."""
    store = bt.metabase.MetaParams.__call__(cls, **params)
    store.live_elsewhere()
    return store
