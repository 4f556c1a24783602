# The report's plots, as SVG by matplotlib. Colours are apart for the colour-blind too (Paul Tol's "muted"), and markers differ.
import math

OURS, OTHER = "#d9480f", "#8a97a6"
PEERS = ["#332288", "#117733", "#88ccee", "#ddaa33", "#882255", "#44aa99", "#7f7f1f", "#aa4499", "#666666"]
MARKERS = "sD^vPXd<>"


def pyplot():
    """matplotlib, set so that a plot of the same figures is the same file. Imported late: a run needs it at its end only."""
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams.update({
        "svg.fonttype": "none", "svg.hashsalt": "ringcast", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False,
        "axes.axisbelow": True, "axes.titlesize": 10, "figure.constrained_layout.use": True})
    from matplotlib import pyplot
    return pyplot


def save(figure, title, path):
    figure.suptitle(title, fontsize=12, fontweight="bold")
    figure.savefig(path, metadata={"Date": None})
    pyplot().close(figure)


def short(value, _=None):
    for limit, suffix in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g}{suffix}"
    return f"{value:.3g}"


def bars(path, title, groups, columns=2):
    """groups: [(name, unit, [(server, value, least, most)])]: a panel of bars each, the shortest on top."""
    plt = pyplot()
    rows = math.ceil(len(groups) / columns)
    figure, panels = plt.subplots(rows, columns, figsize=(10, 0.5 + 2.3 * rows), squeeze=False)
    figure.get_layout_engine().set(h_pad=0.12, w_pad=0.12)
    most_servers = max(len(servers) for _, _, servers in groups)
    for panel, (name, unit, servers) in zip(panels.flat, groups):
        servers = sorted(servers, key=lambda server: -server[1])
        names, values, least, most = zip(*servers)
        spread = [[v - low for v, low in zip(values, least)], [high - v for v, high in zip(values, most)]]
        colours = [OURS if name == "ringcast" else OTHER for name in names]
        panel.barh(names, values, xerr=spread, color=colours, height=0.72, error_kw={"elinewidth": 1.2})
        for y, (value, high) in enumerate(zip(values, most)):
            panel.annotate(short(value), (high, y), (4, 0), textcoords="offset points", va="center", fontsize=8)
        panel.set(title=name, xlabel=unit, xlim=(0, max(most) * 1.12), ylim=(len(names) - most_servers - 0.6, len(names) - 0.4))
        panel.tick_params(axis="y", length=0)
        panel.xaxis.set_major_formatter(short)
        panel.xaxis.grid(color="#e5e5e5")
    for panel in panels.flat[len(groups):]:
        panel.remove()
    save(figure, title, path)


def curves(path, title, panels, x_label, y_label, logarithmic=False):
    """panels: [(name, {server: [(x, y)]})]: beside each other, on the same axes; a server looks alike in all of them."""
    plt = pyplot()
    servers = list(dict.fromkeys(server for _, series in panels for server in series))
    peers = [server for server in servers if server != "ringcast"]
    figure, axes = plt.subplots(1, len(panels), figsize=(10, 4.4), sharey=True, squeeze=False)
    for axis, (name, series) in zip(axes.flat, panels):
        for server, points in series.items():
            index = 0 if server == "ringcast" else peers.index(server) % len(PEERS)
            look = {"color": PEERS[index], "marker": MARKERS[index], "linewidth": 1.4, "markersize": 5}
            if server == "ringcast":
                look = {"color": OURS, "marker": "o", "linewidth": 2.6, "markersize": 6, "zorder": 5}
            axis.plot(*zip(*sorted(points)), label=server, **look)
        if logarithmic:
            axis.set_yscale("log")
        else:
            axis.set_ylim(bottom=0)
        axis.set(title=name, xlabel=x_label, xticks=sorted({x for points in series.values() for x, _ in points}))
        axis.xaxis.set_major_formatter(short)
        axis.yaxis.set_major_formatter(short)
        axis.grid(color="#e5e5e5")
    axes.flat[0].set_ylabel(y_label)
    marks = {label: mark for axis in axes.flat for mark, label in zip(*axis.get_legend_handles_labels())}
    figure.legend([marks[server] for server in servers], servers, loc="outside right center", frameon=False)
    save(figure, title, path)
