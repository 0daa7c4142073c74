# SPDX-License-Identifier: MIT
# Busybox sh without other programs.
step() {
    local value=$1
    case $((value % 5)) in
    0) total=$((total + value)) ;;
    1) total=$((total ^ (value * 3))) ;;
    2) word=${word#?}$value ;;
    *) word=${word%?}x; total=$((total + ${#word})) ;;
    esac
}
total=0 word=abcdefgh n=0
while [ $n -lt 6000 ]; do
    step $n
    n=$((n + 1))
    if [ ${#word} -gt 40 ]; then
        word=${word%%[0-9]*}word
    fi
done
echo $total $word
