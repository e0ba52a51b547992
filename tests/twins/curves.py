"""Range-based, affiliation and volume measures, one row at a time, from the papers' formulas."""

import math


def runs(flags):
    """[first, last] of each run of True."""
    found = []
    for i, flag in enumerate(flags):
        if flag and i and flags[i - 1]:
            found[-1][1] = i
        elif flag:
            found.append([i, i])
    return found


def bias_at(i, n, bias):
    """Tatbul et al. 2018, figure 2: of the i-th of n rows, from 1."""
    if bias == "flat":
        return 1
    if bias == "front":
        return n - i + 1
    if bias == "back":
        return i
    return i if i <= n / 2 else n - i + 1


def rewards(ranges, others, alpha, cardinality, bias):
    """Tatbul et al. 2018, equations 4 to 8 (recall; with alpha 0 and a flat bias, 9 and 10: precision)."""
    found = []
    for first, last in ranges:
        n = last - first + 1
        met = [other for other in others if other[0] <= last and other[1] >= first]
        most = sum(bias_at(i, n, bias) for i in range(1, n + 1))
        size = 0.0
        for low, high in met:
            size += sum(bias_at(i, n, bias) for i in range(1, n + 1) if low <= first + i - 1 <= high) / most
        factor = 1 / len(met) if cardinality == "reciprocal" and len(met) > 1 else 1
        found.append(alpha * bool(met) + (1 - alpha) * factor * size)
    return found


def affiliation(found, events, whole, cells=4):
    """Huet et al. 2022, section 3: precision (None where undefined) and recall of each event.

    Spans have whole ends. Both integrands are then straight lines within quarters, whose middles integrate them exactly.
    """
    precision, recall = [], []
    for k, (start, end) in enumerate(events):
        low = whole[0] if k == 0 else (events[k - 1][1] + start) / 2
        high = whole[1] if k == len(events) - 1 else (end + events[k + 1][0]) / 2
        here = [(max(a, low), min(b, high)) for a, b in found if min(b, high) > max(a, low)]

        def nearer(a, b, low=low, high=high):
            """Share of the zone within (a, b)."""
            return max(0.0, min(b, high) - max(a, low)) / (high - low)

        mass = size = 0.0
        for a, b in here:
            for x in middles(a, b, cells):
                d = max(start - x, x - end, 0)
                mass += 1 if d == 0 else 1 - nearer(start - d, end + d)
                size += 1
        precision.append(mass / size if size else None)
        mass = 0.0
        moments = middles(start, end, cells)
        for y in moments if here else []:
            d = min(max(a - y, y - b, 0) for a, b in here)
            mass += 1 - nearer(y - d, y + d)
        recall.append(mass / len(moments))
    return precision, recall


def middles(start, end, cells):
    """Middles of the cells between two quarters."""
    return [start + (i + 0.5) / cells for i in range(round((end - start) * cells))]


def volumes(scores, positions, labels, longest, first_form=False):
    """Paparrizos et al. 2022, section 4: areas under ROC (None where all is labelled) and precision-recall, mean over buffers.

    As the packages have it now; `first_form` as in the authors' first code, which is the paper's but for the buffer behind a range
    (it lacks its last row) and the mean over buffers.
    """
    roc, pr = [], []
    for length in range(longest + 1):
        weights = blurred(positions, labels, length, first_form)
        points = [
            point(scores, threshold, weights, positions, labels, length, first_form)
            for threshold in sorted({*scores})[::-1]
        ]
        fpr = [0, *(one[0] for one in points), 1]
        tpr = [0, *(one[1] for one in points), 1]
        precision = [1, *(one[2] for one in points)]
        roc.append(sum((fpr[k] - fpr[k - 1]) * (tpr[k] + tpr[k - 1]) / 2 for k in range(1, len(fpr))))
        steps = range(1, len(precision))
        height = [(precision[k] + precision[k - 1]) / 2 if first_form else precision[k] for k in steps]
        pr.append(sum((tpr[k] - tpr[k - 1]) * h for k, h in zip(steps, height, strict=True)))
    return None if all(labels) else sum(roc) / len(roc), sum(pr) / len(pr)


def blurred(positions, labels, length, first_form):
    """Weight of each row."""
    weights = [float(label) for label in labels]
    for first, last in runs(labels):
        for i in range(len(labels)):
            ahead, behind = positions[first] - positions[i], positions[i] - positions[last]
            reach = length // 2 - 1 if first_form and behind > 0 else length / 2
            if not first <= i <= last and max(ahead, behind) <= reach:
                weights[i] += math.sqrt(1 - max(ahead, behind) / length)
    return [min(weight, 1.0) for weight in weights]


def point(scores, threshold, weights, positions, labels, length, first_form):
    """FPR, recall and precision at a threshold."""
    alarms = [score >= threshold for score in scores]
    hits = sum(weight for weight, alarm in zip(weights, alarms, strict=True) if alarm)
    if first_form:
        positives = (sum(labels) + sum(weights)) / 2
    else:
        predicted = [w if alarm else 0.0 for w, alarm, label in zip(weights, alarms, labels, strict=True) if not label]
        positives = sum(labels) + sum(predicted) / 2
    reached = [any(alarms[i] for i in zone) for zone in zones(positions, labels, weights, length, first_form)]
    recall = min(hits / positives, 1) * sum(reached) / len(reached)
    negatives = len(labels) - positives
    false = sum(alarms) - hits
    return (false / negatives if negatives > 0 else 0.0), recall, hits / sum(alarms)


def zones(positions, labels, weights, length, first_form):
    """Rows of each range with its buffer; those of ranges that share a row (in the first form: that touch) are one."""
    if first_form:
        return [range(first, last + 1) for first, last in runs([weight > 0 for weight in weights])]
    found = []
    for first, last in runs(labels):
        reach = {
            i
            for i in range(len(labels))
            if first <= i <= last or max(positions[first] - positions[i], positions[i] - positions[last]) <= length / 2
        }
        if found and found[-1] & reach:
            found[-1] |= reach
        else:
            found.append(reach)
    return found
