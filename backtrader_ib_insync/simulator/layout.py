"""The order of a message's fields as one readable text: `name`, `name>=160`, `name<177`, `[block]`, `-not_kept`."""
import re

WORD = re.compile(r'(\[\w+\]|-?\w+)(?:(>=|<)(\d+))?$')


class Layout:
    def __init__(self, text):
        self._words = [WORD.match(word).groups() for word in text.split()]
        self._by_version = {}

    def __call__(self, version):
        """The words that a client of that server version sends, or reads."""
        if version not in self._by_version:
            self._by_version[version] = [word for word, sign, bound in self._words if holds(version, sign, bound)]
        return self._by_version[version]


def holds(version, sign, bound):
    if not sign:
        return True
    return version >= int(bound) if sign == '>=' else version < int(bound)
