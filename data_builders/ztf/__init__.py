"""ZTF: alerts, BTSbot stamps, periodic variables, simulations."""
