# SPDX-License-Identifier: MIT
{
    for (i = 1; i <= NF; i++) {
        word = tolower($i)
        gsub(/[^a-z_]/, "", word)
        if (length(word) > 2) {
            count[word]++
            letters += length(word)
        }
    }
}
END {
    for (word in count) {
        words++
        if (count[word] > best || (count[word] == best && word < name)) {
            best = count[word]
            name = word
        }
    }
    print words, letters, name, best
}
