"""What `explain` needs beside the explanation itself: objects by name, from files and from the cluster, and output."""
