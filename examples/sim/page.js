/* SPDX-License-Identifier: MIT */
/*
 * What can be asked of the page: a moment, marked in all charts; which transfers, with their eight
 * steps; which lines of the log. All text goes into the document as text, never as markup.
 */
"use strict";
(function () {
    const data = JSON.parse(document.getElementById("data").textContent);
    const root = document.documentElement;
    const PAGE = 200, NEAR = 5 * data.tick_ms;
    const STEPS = ["inquired", "reported", "decided", "donor asked", "verified to be gone",
        "reassigned", "recipient notified", "in use"];
    let marked = 0;

    /* --- making elements --- */

    function make(tag, attributes, ...children) {
        const element = document.createElement(tag);
        for (const [name, value] of Object.entries(attributes || {})) {
            if (name === "on")
                Object.entries(value).forEach(([event, call]) => element.addEventListener(event, call));
            else
                element.setAttribute(name, value);
        }
        element.append(...children);
        return element;
    }

    function named(vm) {
        if (vm === -1)
            return make("span", {}, "the pool");
        return make("span", {}, make("i", {class: "vm c" + vm % 12}), data.vms[vm]);
    }

    function amount(kind, value) {
        const {unit, whole} = data.kinds[kind];
        if (unit === "GiB" && Math.abs(value) < whole)
            return value + " MiB";
        return +(value / whole).toFixed(2) + " " + unit;
    }

    function seconds(ms) {
        return (ms / 1000).toFixed(data.tick_ms % 1000 ? 3 : 1) + " s";
    }

    /* --- the moment --- */

    const series = data.series.map(kind => kind.map(vm => vm.map(deltas => {
        let value = 0;
        return deltas.map(delta => value += delta);
    })));

    function timeOf(point) {
        return Math.floor(point * data.ticks / data.points) * data.tick_ms;
    }

    function pointOf(ms) {
        const point = Math.floor(ms / data.tick_ms * data.points / data.ticks);
        return Math.max(0, Math.min(data.points - 1, point));
    }

    function tell(output) {
        const {kind, vm, host} = output.dataset;
        if (host !== undefined) {
            let wanted = 0, held = 0;
            for (const one of series[host]) {
                wanted += one[0][marked];
                held += one[1][marked];
            }
            output.textContent = "wanted " + amount(host, wanted) + ", held " + amount(host, held) +
                " of " + amount(host, data.kinds[host].capacity);
            return;
        }
        const [wanted, held, stall, lack] = series[kind][vm].map(values => values[marked]);
        const {unit, whole} = data.kinds[kind];
        output.textContent = "wants " + (wanted / whole).toFixed(2) + ", has " +
            (held / whole).toFixed(2) + " " + unit + (lack || stall ? "; misses " + lack + " %, says " + stall + " %" : "");
    }

    const slider = make("input", {type: "range", id: "moment", min: 0, max: data.points - 1, value: 0,
        on: {input: () => mark(+slider.value)}});
    const shown = make("output", {for: "moment"});
    const near = make("input", {type: "checkbox", on: {change: () => refilter()}});

    function mark(point) {
        marked = point;
        root.classList.add("marked");
        root.style.setProperty("--at", (point + 0.5) / data.points);
        slider.value = point;
        slider.setAttribute("aria-valuetext", seconds(timeOf(point)));
        shown.textContent = seconds(timeOf(point));
        document.querySelectorAll("figcaption output").forEach(tell);
        if (near.checked)
            refilter();
    }

    function pointAt(event) {
        const plot = event.target.closest && event.target.closest(".plot");
        if (!plot)
            return;
        const box = plot.getBoundingClientRect();
        const part = (event.clientX - box.left) / box.width;
        mark(Math.max(0, Math.min(data.points - 1, Math.floor(part * data.points))));
    }

    function timeButton(ms) {
        return make("button", {type: "button", class: "time", title: "mark this moment",
            on: {click: () => mark(pointOf(ms))}}, (ms / 1000).toFixed(data.tick_ms % 1000 ? 3 : 1));
    }

    /* --- lists that show a page at a time --- */

    const lists = [];

    function refilter() {
        lists.forEach(list => list.filter());
    }

    /* A list over `all`, of which `wanted` chooses and `row` makes rows; `controls` go before it. */
    function makeList(view, all, head, wanted, row, controls, style) {
        const body = make("tbody");
        const count = make("span", {class: "count", role: "status"});
        const more = make("button", {type: "button", class: "more", on: {click: () => grow()}});
        let found = [], end = 0;

        function grow() {
            const next = found.slice(end, end + PAGE);
            body.append(...next.map(row));
            end += next.length;
            more.hidden = end === found.length;
            more.textContent = "show " + Math.min(PAGE, found.length - end) + " more";
            count.textContent = found.length + " of " + all.length +
                (end === found.length ? "" : ", " + end + " shown");
        }

        const list = {
            filter() {
                found = all.filter(wanted);
                end = 0;
                body.replaceChildren();
                grow();
            }
        };
        const columns = make("tr", {}, ...head.map(title => make("th", {scope: "col"}, title)));
        const form = make("form", {class: "filter", role: "search",
            on: {submit: event => event.preventDefault()}}, ...controls, count);

        document.getElementById(view).append(form, make("div", {class: "scroll"},
            make("table", {class: style}, make("thead", {}, columns), body)), more);
        form.addEventListener("input", () => list.filter());
        lists.push(list);
        list.filter();
    }

    function vmChoice() {
        return make("select", {"aria-label": "VM"}, make("option", {value: ""}, "every VM"),
            ...data.vms.map((name, vm) => make("option", {value: vm}, name)));
    }

    function search() {
        return make("input", {type: "search", placeholder: "search", "aria-label": "search"});
    }

    function isNear(first, last) {
        const at = timeOf(marked);
        return !near.checked || (first <= at + NEAR && last >= at - NEAR);
    }

    /* --- transfers --- */

    function stepTimes(move) {
        const [decided, steps] = move.slice(8);
        return steps.map(step => step && [decided + step[0], decided + step[1]]);
    }

    /* When each step was: asking, the first time; what pieces do, the last. */
    function track(move) {
        const decided = move[8];
        return make("ol", {class: "track"}, ...move[9].map((step, i) => {
            if (!step)
                return make("li", {title: STEPS[i] + ": not done"}, make("b", {}, String(i + 1)), "\u2013");
            const at = step[i < 4 ? 0 : 1];
            return make("li", {class: "on", title: STEPS[i] + ", " + seconds(decided + at)},
                make("b", {}, String(i + 1)), String(+(at / 1000).toFixed(3)));
        }));
    }

    function said(kind, vm, used, held) {
        return vm === -1 ? "" : data.vms[vm] + " used " + amount(kind, used) + " of " + amount(kind, held);
    }

    function story(move) {
        const [kind, [donor, recipient], asked, moved, heard, end, whyDonor, why] = move;
        const details = ["", [said(kind, donor, heard[0], heard[1]),
            said(kind, recipient, heard[2], heard[3])].filter(text => text).join("; "),
            why, whyDonor, "", "", "", ""];
        const lines = stepTimes(move).map((times, i) => {
            const span = !times ? "not done" : times[0] === times[1] ? seconds(times[0])
                : seconds(times[0]) + " to " + seconds(times[1]);
            return make("li", {}, make("b", {}, String(i + 1)), STEPS[i] + ": " + span +
                (details[i] && times ? " \u2014 " + details[i] : ""));
        });
        lines.push(make("li", {}, make("b", {}, " "), end + ": " + amount(kind, moved) + " of " +
            amount(kind, asked)));
        return make("ol", {class: "story"}, ...lines);
    }

    function moveRow(move) {
        const [kind, [donor, recipient], asked, moved, , end, , why] = move;
        const details = make("details", {}, make("summary", {"aria-label": "the eight steps"}, track(move)));
        details.addEventListener("toggle", () => {
            if (details.open && details.children.length === 1)
                details.append(story(move));
        });
        return make("tr", {},
            make("td", {}, timeButton(move[8])),
            make("td", {class: "who"}, named(donor), " \u2192 ", named(recipient)),
            make("td", {class: "num"}, amount(kind, moved) + (moved === asked ? "" : " of " + amount(kind, asked))),
            make("td", {class: end}, end),
            make("td", {class: "wide"}, details),
            make("td", {class: "wide"}, (data.kinds.length > 1 ? data.kinds[kind].name + ": " : "") + why));
    }

    function makeMoves() {
        const vm = vmChoice(), text = search();
        const end = make("select", {"aria-label": "how it ended"}, make("option", {value: ""}, "however ended"),
            ...["done", "partial", "cancelled", "failed", "open"].map(word => make("option", {}, word)));

        function wanted(move) {
            const times = stepTimes(move).filter(step => step);
            return (!vm.value || move[1].includes(+vm.value)) && (!end.value || move[5] === end.value) &&
                isNear(move[8], times[times.length - 1][1]) &&
                (!text.value || [move[6], move[7], ...move[1].map(one => data.vms[one])].join(" ")
                    .toLowerCase().includes(text.value.toLowerCase()));
        }
        makeList("transfer-view", data.moves, ["at [s]", "from \u2192 to", "moved", "ended", "steps", "why"],
            wanted, moveRow, [vm, end, text], "moves");
    }

    /* --- the log --- */

    function makeLog() {
        const vm = vmChoice(), text = search();
        const names = ["other", "1 inquire", "2 report", "3 decide", "4 ask", "5 gone", "6 reassign",
            "7 notify", "8 in use"];
        const boxes = names.map((name, step) => make("input",
            Object.assign({type: "checkbox", name: "step", value: step},
                step === 0 || step === 3 || step === 4 ? {checked: ""} : {})));
        const steps = make("fieldset", {class: "steps", "aria-label": "steps"},
            ...boxes.map((box, i) => make("label", {}, box, " " + names[i])));

        makeList("log-view", data.log, ["at [s]", "step", "what, and why"],
            line => boxes[line[1]].checked && (!vm.value || line[3] === +vm.value || line[4] === +vm.value) &&
                isNear(line[0], line[0]) &&
                (!text.value || line[5].toLowerCase().includes(text.value.toLowerCase())),
            line => make("tr", {class: "s" + line[1] + " l" + line[2]},
                make("td", {class: "num"}, timeButton(line[0])),
                make("td", {}, make("span", {class: "badge"}, line[1] ? String(line[1]) : "\u00b7")),
                make("td", {}, line[5].replace(/ \([1-8]\)/, ""))),
            [vm, text, steps], "lines");
    }

    /* --- all of it --- */

    const clock = document.getElementById("clock");
    clock.className = "clock-room";
    clock.append(make("div", {class: "clock"}, make("label", {for: "moment"}, "Moment"), slider, shown,
        make("label", {}, near, " transfers and log: only near it")));
    makeMoves();
    makeLog();
    mark(0);
    document.addEventListener("pointermove", event => {
        if (event.pointerType === "mouse")
            pointAt(event);
    });
    document.addEventListener("click", pointAt);
})();
