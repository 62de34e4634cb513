# The documents are those that scripts/docs makes, and what they name and link to is there.
. "$TOP/tests/cli/lib.sh"
cd "$TOP" || exit 1
scripts/docs --check || fail "see above"

shopt -s nullglob
pages=(README.md CONTRIBUTING.md docs/*.md docs/lessons/*.md)

for page in "${pages[@]}"; do
    for file in $(grep -oE '`(tests|scripts|vmm|gdbstub|guests|os-1k|docs)/[A-Za-z0-9/_.-]+`' "$page" | tr -d '`' | grep -v NAME); do
        [[ -e $file ]] || fail "$page names what is not there: $file"
    done
done

for page in docs/*.md; do
    [[ $page == docs/README.md ]] || grep -q "](${page#docs/})" docs/README.md || fail "docs/README.md does not list $page"
done

# The names of a page's headings, as GitHub makes them.
anchors() { sed -nE 's/^#+ (.*)/\L\1/p' "$1" | sed -E 's/[^a-z0-9 _-]//g; s/ /-/g'; }
for page in "${pages[@]}"; do
    for link in $(grep -oE '\]\([^) ]+\)' "$page" | sed -E 's/^..//; s/.$//'); do
        [[ $link == http* ]] && continue
        file=${link%%#*}
        file=${file:+$(dirname "$page")/$file}
        file=${file:-$page}
        [[ -e $file ]] || { fail "$page links to what is not there: $link"; continue; }
        [[ $link != *#* ]] || anchors "$file" | grep -qx -- "${link#*#}" || fail "$page: $link: there is no such heading"
    done
done
finish
