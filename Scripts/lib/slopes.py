"""Slopes and their noise: least squares with a standard error that knows that neighbouring values resemble each other."""
import math


class Trend:
    """The line through `values` at `times`: `slope` per unit of time, `error` its standard error, `growth` over the whole time."""

    def __init__(self, times, values):
        count = len(values)
        self.mean = sum(values) / count
        self.slope, self.error, self.freedom = 0.0, math.inf, count - 2
        self.span = times[-1] - times[0]
        if self.freedom < 1:
            return
        middle = sum(times) / count
        spread = sum((time - middle) ** 2 for time in times)
        self.slope = sum((time - middle) * (value - self.mean) for time, value in zip(times, values)) / spread
        residuals = [value - self.mean - self.slope * (time - middle) for time, value in zip(times, values)]
        square = sum(residual ** 2 for residual in residuals)
        self.error = math.sqrt(square / self.freedom / spread) * self.inflation(residuals, square)

    @staticmethod
    def inflation(residuals, square):
        """Values that follow their neighbours tell less than independent ones (first-order autoregression)."""
        if square <= 1e-12:
            return 1.0
        resemblance = sum(one * next_one for one, next_one in zip(residuals, residuals[1:])) / square
        resemblance = min(0.9, max(0.0, resemblance))
        return math.sqrt((1 + resemblance) / (1 - resemblance))

    @property
    def growth(self):
        return self.slope * self.span

    @property
    def noise(self):
        """What chance may make of the growth, in 99 of 100 cases: Student's quantile times the standard error."""
        return quantile(self.freedom) * self.error * self.span if self.freedom > 0 else math.inf

    def exceeds(self, bound):
        """Whether it grows: beyond the noise, and by more than the bound."""
        return self.growth > bound and self.growth > self.noise


def quantile(freedom):
    """Student's t, two-sided 99 %, by Cornish and Fisher's expansion; within 2 % from four degrees of freedom on."""
    if freedom < 4:
        return {1: 63.66, 2: 9.92, 3: 5.84}[freedom]
    z, n = 2.5758, freedom
    return (z + (z ** 3 + z) / (4 * n) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * n ** 2)
            + (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * n ** 3))
