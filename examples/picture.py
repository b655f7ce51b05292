"""What the quickstart prints, and the picture it draws with matplotlib, where that is installed."""
import pathlib

INK, GREY, UP, DOWN, BLUE = '#1f2933', '#8a96a3', '#2a9d8f', '#e76f51', '#2f6fb2'
PICTURE = pathlib.Path('quickstart.png')
#: how much of the history before LIVE is drawn
BEFORE = 45


class Diary:
    """Tells what happens as it happens, and keeps it for the picture."""

    def __init__(self, *periods):
        self.periods = periods
        self.bars = []
        self.equity = []
        self.fills = []
        self.live_from = None
        self.title = ''

    def say(self, strategy, word, *texts):
        """One line: the time of the market, a word, and the rest."""
        print('{:8} {:<13}{}'.format(self._time(strategy), word, ' '.join(str(text) for text in texts)), flush=True)
        if word == 'LIVE' and self.live_from is None:
            self.live_from = len(self.bars)

    @staticmethod
    def _time(strategy):
        return strategy.data.datetime.datetime(0).strftime('%H:%M:%S') if len(strategy.data) else ''

    def bar(self, strategy):
        data = strategy.data
        self.title = data._name
        value = strategy.broker.getvalue()
        self.bars.append((data.datetime.datetime(0), data.open[0], data.high[0], data.low[0], data.close[0]))
        self.equity.append(value)
        if not strategy.live:
            del self.bars[:-BEFORE], self.equity[:-BEFORE]
        else:
            self.say(strategy, 'bar', '{:10.2f}   volume {:8.0f}   position {:4g}   value {:14,.2f}'.format(
                data.close[0], data.volume[0], strategy.position.size, value))

    def order(self, strategy, order):
        what = '{} {:g}'.format('buy' if order.isbuy() else 'sell', abs(order.created.size))
        if order.status == order.Completed:
            self.fills.append((len(self.bars) - 1, order.executed.price, order.isbuy()))
            what = '{} at {:.2f}, commission {:.2f}'.format(what, order.executed.price, order.executed.comm)
        self.say(strategy, 'order', what + ':', order.getstatusname(), order.info.get('message', ''))

    def trade(self, strategy, trade):
        if trade.isclosed:
            self.say(strategy, 'trade', 'profit {:+.2f}, after commission {:+.2f}'.format(trade.pnl, trade.pnlcomm))

    def end(self, strategy):
        """The last word, and the picture."""
        print('\nFinal value {:,.2f}, cash {:,.2f}, position {:g}'.format(
            strategy.broker.getvalue(), strategy.broker.getcash(), strategy.position.size))
        if self.bars:
            print(draw(self))


def draw(diary):
    """Save the picture; what to say about it."""
    try:
        import matplotlib
    except ImportError:
        return 'No picture: matplotlib is not installed (pip install matplotlib)'
    matplotlib.use('Agg')
    from matplotlib import pyplot
    pyplot.rcParams.update({'font.size': 9, 'text.color': INK, 'axes.labelcolor': GREY, 'xtick.color': GREY,
                            'ytick.color': GREY, 'axes.edgecolor': '#d5dbe1', 'font.family': 'DejaVu Sans'})
    figure, (above, below) = pyplot.subplots(2, 1, sharex=True, figsize=(11, 6.2), gridspec_kw={'height_ratios': [3, 1],
                                                                                                 'hspace': 0.07})
    _draw_bars(above, diary)
    _draw_fills(above, diary)
    _draw_equity(below, diary)
    _label(figure, above, below, diary)
    figure.savefig(str(PICTURE), dpi=130, facecolor='white', bbox_inches='tight', pad_inches=0.25)
    pyplot.close(figure)
    return 'Picture: {}'.format(PICTURE.resolve())


def _draw_bars(axes, diary):
    for place, (_, open_, high, low, close) in enumerate(diary.bars):
        colour = UP if close >= open_ else DOWN
        axes.vlines(place, low, high, color=colour, linewidth=1)
        axes.bar(place, max(abs(close - open_), 0.005), 0.64, min(open_, close), color=colour, linewidth=0)
    closes = [bar[4] for bar in diary.bars]
    for period, style in zip(diary.periods, ('-', '--')):
        places = range(period - 1, len(closes))
        axes.plot(places, [sum(closes[place + 1 - period:place + 1]) / period for place in places], style, color=BLUE,
                  linewidth=1.1, alpha=0.75, label='average of {}'.format(period))


def _draw_fills(axes, diary):
    away = (max(bar[2] for bar in diary.bars) - min(bar[3] for bar in diary.bars)) * 0.04
    for bought in (True, False):
        colour, marker, word, down = (UP, '^', 'bought', -11) if bought else (DOWN, 'v', 'sold', 11)
        fills = [(place, price, _beside(diary, place, bought, away))
                 for place, price, side in diary.fills if side == bought]
        if fills:
            places, _, marks = zip(*fills)
            axes.scatter(places, marks, s=75, zorder=5, marker=marker, color=colour, edgecolor='white', linewidth=0.9,
                         label=word)
        for place, price, mark in fills:
            axes.annotate('{:.2f}'.format(price), (place, mark), (0, down), textcoords='offset points', color=colour,
                          ha='center', va='center', fontsize=8)


def _beside(diary, place, below, away):
    """Where a mark covers neither its bar nor the neighbours."""
    bars = diary.bars[max(place - 1, 0):place + 2]
    return min(bar[3] for bar in bars) - away if below else max(bar[2] for bar in bars) + away


def _draw_equity(axes, diary):
    first = diary.equity[0]
    gains = [value - first for value in diary.equity]
    axes.step(range(len(gains)), gains, where='post', color=INK, linewidth=1.1)
    for sign, colour in ((1, UP), (-1, DOWN)):
        shown = [gain if gain * sign > 0 else 0.0 for gain in gains]
        axes.fill_between(range(len(gains)), shown, step='post', color=colour, alpha=0.18, linewidth=0)
    axes.axhline(0, color=GREY, linewidth=0.6)
    axes.set_ylabel('account, change')


def _label(figure, above, below, diary):
    for axes in (above, below):
        axes.grid(axis='y', color='#edf0f3', linewidth=0.8)
        axes.set_axisbelow(True)
        axes.tick_params(length=0)
        for side in ('top', 'right', 'left'):
            axes.spines[side].set_visible(False)
        if diary.live_from is not None:
            axes.axvspan(-0.8, diary.live_from - 0.5, color='#f4f6f8', zorder=0, linewidth=0)
    if diary.live_from:
        above.text(diary.live_from - 1.0, 0.975, 'history', transform=above.get_xaxis_transform(), ha='right', va='top',
                   color=GREY)
        above.text(diary.live_from, 0.975, 'live', transform=above.get_xaxis_transform(), va='top', color=GREY)
    above.set_xlim(-0.8, len(diary.bars) - 0.2)
    above.margins(y=0.12)
    shown = [place for place, bar in enumerate(diary.bars) if bar[0].minute % 10 == 0]
    below.set_xticks(shown)
    below.set_xticklabels([diary.bars[place][0].strftime('%H:%M') for place in shown])
    day = diary.bars[-1][0].strftime('%A, %d %B %Y')
    above.set_title('{}   one-minute bars, {}'.format(diary.title, day), loc='left', fontsize=12, color=INK, pad=12)
    above.legend(frameon=False, loc='lower left', ncol=4, fontsize=8, labelcolor=GREY)
    figure.align_ylabels()
