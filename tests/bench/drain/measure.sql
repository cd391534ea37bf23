-- From the first batch's begin to the last one's, by the dispatcher's clock, and how many events there are.
SELECT greatest(max(at) - min(at), 1),
       (SELECT count(*) FROM call_event WHERE call BETWEEN :first AND :first + :calls - 1 AND source = 'callback')
FROM change WHERE call BETWEEN :first AND :first + :calls - 1;
