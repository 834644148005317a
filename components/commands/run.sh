#!/bin/sh
# Runs a command of this package: sh components/commands/run.sh kind_cluster create
#
# Under the Python that runs the program, where the checkout has it: the state says the same in every checkout, and a
# python3 on PATH may be older than the commands are written for (macOS has 3.9). Each exec makes the next program this
# very process, and nothing else holds its output open: pulumi-command kills this process alone, and waits for the output.
for python in .venv/bin/python "${VIRTUAL_ENV:-.venv}/bin/python" python3; do
    command -v "$python" > /dev/null 2>&1 || continue
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' < /dev/null > /dev/null 2>&1; then
        module=$1
        shift
        exec "$python" -m "components.commands.$module" "$@"
    fi
    old="$old $python"
done
echo "Python 3.11 or newer is wanted in the folder of the program, $PWD;${old:+ these are older or broken:$old;} none was found." \
    "Make it: pulumi install, or with another Python: make install PYTHON=python3.12" >&2
exit 1
