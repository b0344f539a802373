# shellcheck shell=bash disable=SC2154
# Packages of Debian's, whatever the machine has: sourced by scripts that set these first:
#
# store    a folder for the lists of packages
# suites   the suites to look in, each with its own list to download

keys=/usr/share/keyrings/debian-archive-keyring.gpg

# Runs apt with the machine's own mirror and keys, but none of its lists or state.
private() {
	local tool=$1
	shift
	"$tool" -q \
		-o Dir::Etc::SourceList="$store/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
		-o Dir::State::Lists="$store/lists" -o Dir::State::status="$store/status" \
		-o Dir::Cache="$store/cache" -o APT::Sandbox::User="$(id -un)" \
		-o Acquire::Retries=3 -o Acquire::Languages=none \
		-o Acquire::Check-Valid-Until=false "$@"
}

# Brings the lists of packages up to date, once a day. Exit: 1 if apt knows no mirror.
update_lists() {
	local targets suite kind uri sources=
	# shellcheck disable=SC2016 # apt's own variables
	targets=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' 'Origin: Debian')
	for suite in $suites; do
		kind=main
		[[ $suite != *-security ]] || kind=security
		uri=$(awk -v kind=$kind '($1 ~ /-security$/ ? "security" : "main") == kind {print $2; exit}' \
			<<<"$targets")
		[[ -z $uri ]] || sources+="deb [arch=amd64 signed-by=$keys] $uri $suite main"$'\n'
	done
	[[ $sources ]] || return 1
	if [[ $(find "$store/stamp" -mtime -1 2>/dev/null) ]] &&
		cmp -s "$store/sources.list" - <<<"$sources"; then
		return
	fi
	mkdir -p "$store/lists/partial" "$store/cache/archives/partial"
	: >"$store/status"
	cat >"$store/sources.list" <<<"$sources"
	# A suite that the mirror no longer has must not cost the others.
	if private apt-get update >"$store/log" 2>&1; then
		touch "$store/stamp"
	else
		grep -m1 '^[EW]:' "$store/log" >&2 || true
	fi
}
