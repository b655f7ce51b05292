"""Every error the library raises: each message names the value, the rule it breaks and the remedy."""


class IBError(Exception):
    """Base of all errors raised by this library."""


class NotConnected(IBError):
    """No API session with TWS: nothing was sent."""


class StoreInUse(IBError):
    """Another run uses the store, which serves one cerebro at a time."""


class TimedOut(IBError):
    """TWS did not answer within the bound given: what was asked for is unknown, not empty."""


class RequestRefused(IBError):
    """TWS refused a request; `code` and `text` are TWS's own."""

    def __init__(self, code, text):
        super().__init__('TWS refused the request: {} {}'.format(code, text))
        self.code = code
        self.text = text


class BadDataname(IBError, ValueError):
    """A dataname that does not describe a contract."""


class UnknownContract(IBError):
    """TWS knows no such contract, or several; `candidates` lists those as datanames."""

    def __init__(self, dataname, text='', candidates=()):
        self.dataname = dataname
        self.candidates = tuple(candidates)
        super().__init__(self._message(text))

    def _message(self, text):
        if not self.candidates:
            return 'TWS knows no contract {!r}{}: check symbol, type, exchange, currency and expiry'.format(
                self.dataname, ' ({})'.format(text) if text else '')
        return '{!r} is ambiguous, TWS knows {} contracts by it; choose one: {}'.format(
            self.dataname, len(self.candidates), ', '.join(self.candidates))


class UnknownZone(IBError, ValueError):
    """A time zone id that neither the system nor the alias table knows."""


class NotSupportedTimeframe(IBError, ValueError):
    """A timeframe and compression TWS has no bar for and none can be built from."""


class HistoryFailed(IBError):
    """A download is not whole: the reason, and what had been delivered before."""


class BadOrder(IBError, ValueError):
    """An order that cannot be expressed in TWS's terms; nothing was sent."""


class BadParameter(IBError, TypeError):
    """A parameter that no class here has, or a value it cannot take."""
