// Tests of loops use the simulated kernel as a part of their support.
@_exported public import SimulatedKernel
