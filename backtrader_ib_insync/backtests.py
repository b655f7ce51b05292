"""What only a simulated broker can do: names that scripts share with backtests, here without effect."""
import logging

log = logging.getLogger(__name__)


class Shared:
    """Takes these calls and says that they do nothing."""


def _without_effect(name):
    def ignore(self, *args, **kwargs):
        log.warning('%s(...) has no effect: only a simulated broker can do that', name)
    ignore.__doc__ = 'No effect but a warning: for scripts that are shared with backtests.'
    return ignore


for _name in ('set_coo', 'set_coc', 'set_cash', 'setcash', 'add_cash', 'set_checksubmit', 'set_eosbar', 'set_filler',
              'set_int2pnl', 'set_shortcash', 'set_slippage_perc', 'set_slippage_fixed', 'set_fundstartval'):
    setattr(Shared, _name, _without_effect(_name))
