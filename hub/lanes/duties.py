"""The hub's own duties, one replica at a time: leased like lanes, under names that no provider can have."""

DUTIES = "hub-duty"
ALERTS = f"{DUTIES}/alerts"
PLANS = f"{DUTIES}/plans"
