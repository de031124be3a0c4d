//! HTTP in: accept, route, reply; pages for people.
