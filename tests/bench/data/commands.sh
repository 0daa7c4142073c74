# SPDX-License-Identifier: MIT
# Many short processes, pipes and substitutions, as in configure scripts.
cd /tmp
for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
    echo "line $n" >file.$n
    number=$(sed -e 's/line //' file.$n)
    if /bin/grep -q "$number" file.$n && /bin/test "$(wc -l <file.$n)" -eq 1; then
        /bin/expr "$number" \* "$number" | /bin/tr 0-9 a-j
    fi
    rm -f file.$n
done
