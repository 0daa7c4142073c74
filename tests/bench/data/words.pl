# SPDX-License-Identifier: MIT
# Words, calls and numbers of a text by regular expressions.
use strict;
use warnings;
my (%words, %calls, $digits);
my $size = 0;
open(my $in, '<', $ARGV[0]) or die;
while (my $line = <$in>) {
    last if ($size += length $line) > 500_000;
    $words{lc $1}++ while $line =~ /([A-Za-z_]{3,})/g;
    $calls{$1} .= substr($2, 0, 3) if $line =~ /(\w+)\(([^()]*)\)/;
    $digits += $1 while $line =~ /\b(\d+)\b/g;
    $line =~ s/\s+/ /g;
    $size += 0 * length join(',', reverse split(/ /, $line));
}
my @best = (sort { $words{$b} <=> $words{$a} || $a cmp $b } keys %words)[0 .. 4];
printf "%d %d %d %s %d\n", scalar(keys %words), scalar(keys %calls), $digits, "@best",
    length join('', map { $calls{$_} } sort keys %calls);
