//! A row of the timetable.
