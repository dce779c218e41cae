"""How many customers a second the simulated queues serve on one core, beside SimPy and Ciw, and a table of sixteen
servers.

    python benchmarks/queue_simulator.py [--customers N] [--table]

All engines simulate the same model, M/M/1 and M/M/4 at ρ = 0.8, with the same number of customers, in turn; the best of
three. Ours include drawing the random numbers. SimPy has a process for each customer and a Resource, as its
documentation does. Both are wanted by this script alone: pip install 'spe-lab[bench]'.

--table: the highest load at which 16 servers keep 99 % of sojourns within 10 services, by bisection with a million
customers at each load; and, where one long job in a thousand decides, with sixteen million.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np

from spe_lab.models import queues
from spe_lab.models.queues import Priority, Shared, Sharing, Split, System, birth_death

RHO, REPEATS, SLOW_CUSTOMERS = 0.8, 3, 100_000
SYSTEMS = (
    Shared(1),
    Shared(4),
    Shared(16),
    Shared(64),
    Split(4),
    Split(4, "round robin"),
    Split(4, 2),
    Split(4, 4),
    Split(512, 2),
    Sharing(1),
    Sharing(4),
    Sharing(1, stations=4),
    Priority(4, below=1.0),
)
LAWS = {
    "deterministic": queues.deterministic(1.0),
    "exponential": queues.exponential(1.0),
    "bimodal-1": queues.bimodal(1.0, 0.1, 11.0),
    "bimodal-2": queues.bimodal(1.0, 0.001, 1001.0),
}
TABLE = {
    "central FCFS": Shared(16),
    "partitioned FCFS": Split(16),
    "central PS": Sharing(16),
    "partitioned PS": Sharing(1, stations=16),
}


def ours(system: System, customers: int) -> float:
    """Mean sojourn of M/M/c at ρ."""
    return (
        queues.simulate(system, queues.poisson(RHO * system.capacity), queues.exponential(1.0), customers).mean().value
    )


def by_simpy(servers: int, customers: int) -> float:
    import simpy

    rng = np.random.default_rng(1)
    gaps, services = rng.exponential(1 / (RHO * servers), customers).tolist(), rng.exponential(1.0, customers).tolist()
    environment, sojourns = simpy.Environment(), []
    resource = simpy.Resource(environment, capacity=servers)

    def customer(needed: float):
        came = environment.now
        with resource.request() as turn:
            yield turn
            yield environment.timeout(needed)
        sojourns.append(environment.now - came)

    def arrivals():
        for gap, needed in zip(gaps, services, strict=True):
            yield environment.timeout(gap)
            environment.process(customer(needed))

    environment.process(arrivals())
    environment.run()
    return float(np.mean(sojourns))


def by_ciw(servers: int, customers: int) -> float:
    import ciw

    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate=RHO * servers)],
        service_distributions=[ciw.dists.Exponential(rate=1.0)],
        number_of_servers=[servers],
    )
    ciw.seed(1)
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(customers, method="Finish")
    return float(np.mean([record.exit_date - record.arrival_date for record in simulation.get_all_records()]))


def seconds(run: Callable[[], float]) -> tuple[float, float]:
    began = time.perf_counter()
    answer = run()
    return time.perf_counter() - began, answer


def race(servers: int) -> None:
    """The three engines in turn."""
    engines = {
        "this workbook": lambda: ours(Shared(servers), SLOW_CUSTOMERS),
        "SimPy": lambda: by_simpy(servers, SLOW_CUSTOMERS),
        "Ciw": lambda: by_ciw(servers, SLOW_CUSTOMERS),
    }
    runs = {name: [] for name in engines}
    for _ in range(REPEATS):
        for name, run in engines.items():
            runs[name].append(seconds(run))
    best = {name: min(each)[0] for name, each in runs.items()}
    exact = float(birth_death.mean_sojourn(servers, RHO))
    print(f"M/M/{servers}, {SLOW_CUSTOMERS} customers, E(T) = {exact:.3f}")
    for name, each in runs.items():
        ratio = best[name] / best["this workbook"]
        print(
            f"  {name:14} {SLOW_CUSTOMERS / best[name]:14,.0f} customers/s   {ratio:8.0f} times as long   E(T)"
            f" {each[0][1]:.3f}"
        )


def highest_load(
    system: System, law: queues.Law, customers: int, steps: int = 10, low: float = 0.0, high: float = 1.0
) -> float:
    for _ in range(steps):
        rho = (low + high) / 2
        met = queues.simulate(system, queues.poisson(rho * 16), law, customers, seed=16).quantile(0.99).value <= 10
        low, high = (rho, high) if met else (low, rho)
    return (low + high) / 2


def table() -> None:
    began = time.perf_counter()
    print(f"{'':18}" + "".join(f"{name:>15}" for name in LAWS))
    for name, system in TABLE.items():
        print(f"{name:18}" + "".join(f"{highest_load(system, law, 1_000_000):15.3f}" for law in LAWS.values()))
    print(f"in {time.perf_counter() - began:.1f} s; bimodal-2 with sixteen million customers:")
    for name in ("central FCFS", "partitioned PS"):
        print(f"{name:18}{highest_load(TABLE[name], LAWS['bimodal-2'], 16_000_000, 7, 0.5, 0.9):15.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=1_000_000, help="for each of our systems (default: a million)")
    parser.add_argument("--table", action="store_true", help="the table of sixteen servers instead")
    options = parser.parse_args()
    if options.table:
        return table()
    ours(Shared(1), 1000)  # compiled and loaded before the clock runs
    for system in SYSTEMS:
        best = min(seconds(lambda system=system: ours(system, options.customers))[0] for _ in range(REPEATS))
        print(f"{system!r:60} {options.customers / best / 1e6:6.1f} M customers/s")
    for servers in (1, 4):
        race(servers)
    return None


if __name__ == "__main__":
    main()
