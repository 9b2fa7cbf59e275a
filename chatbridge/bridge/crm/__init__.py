"""Accounts of the CRM: how they let us in, how their tokens stay valid, and the calls that linking makes."""
