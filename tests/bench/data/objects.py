# SPDX-License-Identifier: MIT
"""An interpreter's ordinary work: objects, dictionaries, strings, lists, generators, exceptions."""


class Account:
    def __init__(self, name, balance):
        self.name = name
        self.balance = balance

    def move(self, other, amount):
        if amount > self.balance:
            raise ValueError(self.name)
        self.balance -= amount
        other.balance += amount


def numbers(seed, count):
    for _ in range(count):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        yield seed >> 8


def transfers(count):
    accounts = {f"account {i}": Account(f"account {i}", 1000) for i in range(50)}
    names = sorted(accounts)
    refused = 0
    for n in numbers(1, count):
        a, b = accounts[names[n % 50]], accounts[names[n // 50 % 50]]
        try:
            a.move(b, n // 2500 % 400)
        except ValueError:
            refused += 1
    return refused, [accounts[n].balance for n in names[:5]]


def words(count):
    text = " ".join("".join(chr(97 + (n >> k) % 26) for k in (0, 3, 6)) for n in numbers(2, count))
    seen = {}
    for word in text.split():
        seen[word] = seen.get(word, 0) + 1
    best = sorted(seen.items(), key=lambda item: (-item[1], item[0]))[:5]
    return len(seen), best, text.replace("a", "").count("b")


def primes(limit):
    flags = bytearray([1]) * limit
    for i in range(2, int(limit ** 0.5) + 1):
        if flags[i]:
            flags[i * i::i] = bytes(len(range(i * i, limit, i)))
    return sum(i for i in range(2, limit) if flags[i])


print(transfers(6000), words(1500), primes(15000), sum(3 ** n % 1000007 for n in range(400)))
